import type { StandardSchemaV1 } from '@standard-schema/spec'
import { faultOf } from './event-faults.ts'
import type { Event } from './event.ts'
import { MillraceError } from './error.ts'
import { partitionOf } from './partition.ts'
import { type OutputOf, validate } from './schema.ts'

/** Turns data of one version into data of the next. Pure; runs whenever an old event is read. */
export type Upcaster = (data: unknown) => unknown

/** An event type with a history: the schema of its present version and a way up from each older one. */
export interface VersionedType<S extends StandardSchemaV1 = StandardSchemaV1> {
  readonly schema: S
  /** Present version, from 1. */
  readonly version: number
  /** `upcasters[n]` turns version n into n + 1; one for each version below the present. */
  readonly upcasters: Readonly<Record<number, Upcaster>>
}

/** Event types of a topic by name: a schema, or a schema with its history. */
export type TypesOfTopic = Readonly<Record<string, StandardSchemaV1 | VersionedType>>

type SchemaIn<T> = T extends VersionedType<infer S> ? S : T extends StandardSchemaV1 ? T : never

/** The union of a topic's events, for `switch (event.type)`. */
export type EventOf<T extends Topic> =
  T extends Topic<infer Types>
    ? { [Name in keyof Types & string]: Event<Name, OutputOf<SchemaIn<Types[Name]>>> }[keyof Types & string]
    : never

/** Options of {@link topic}. */
export interface TopicOptions<Types extends TypesOfTopic> {
  readonly types: Types
  /** Fixed for the life of the topic. Default 8. */
  readonly partitions?: number
  /**
   * Where its keys lie in Redis Cluster: `together` in one slot (needed for uniqueness constraints),
   * or `spread` over at most `slots` hash tags. Default `spread`.
   */
  readonly placement?: 'together' | 'spread'
  /** Hash tags of a spread topic. Default 16. */
  readonly slots?: number
  /** Largest event, in bytes of JSON. Default: the limit of all events, 256 KiB. */
  readonly maxEventBytes?: number
}

/** A named, typed family of events, split into a fixed number of partitions. */
export interface Topic<Types extends TypesOfTopic = TypesOfTopic> {
  readonly name: string
  readonly types: Types
  readonly partitions: number
  readonly placement: 'together' | 'spread'
  readonly slots: number
  readonly maxEventBytes: number | undefined
}

const namePattern = /^[a-z][a-z0-9-]{0,62}$/

/** Declares a topic. Throws a TypeError when the declaration is wrong: that is a mistake in code. */
export function topic<const Types extends TypesOfTopic>(
  name: string,
  options: TopicOptions<Types>,
): Topic<Types> {
  const partitions = options.partitions ?? 8
  const slots = options.slots ?? 16
  if (!namePattern.test(name))
    throw new TypeError(`The topic name "${name}" must be lower case letters, digits and dashes, at most 63`)
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 1_024)
    throw new TypeError(`Topic ${name}: partitions must be a whole number from 1 to 1024`)
  if (!Number.isInteger(slots) || slots < 1 || slots > partitions * 16)
    throw new TypeError(`Topic ${name}: slots must be a whole number from 1`)
  for (const [type, entry] of Object.entries(options.types)) {
    const history = versioned(entry)
    for (let version = 1; version < history.version; version++)
      if (!history.upcasters[version])
        throw new TypeError(`Topic ${name}: ${type} has no upcaster from version ${version}`)
  }
  return {
    name,
    types: options.types,
    partitions,
    placement: options.placement ?? 'spread',
    slots,
    maxEventBytes: options.maxEventBytes,
  }
}

/** The partition of a topic that a key's events lie in. */
export function partitionOfKey(topic: Topic, key: string): number {
  return partitionOf(key, topic.partitions)
}

/** Present version of an event type. @throws MillraceError `type.unknown` */
export function versionOf(topic: Topic, type: string): number {
  return presentOf(topic, type).version
}

/** Present version and schema of an event type. @throws MillraceError `type.unknown` */
export function presentOf(topic: Topic, type: string): Present {
  const entry = typeOf(topic, type)
  return isVersioned(entry) ? entry : new First(entry)
}

/** What an event type is now. */
export interface Present {
  readonly version: number
  readonly schema: StandardSchemaV1
}

// A class, no literal: see codec.ts.
class First implements Present {
  readonly version = 1
  readonly schema: StandardSchemaV1

  constructor(schema: StandardSchemaV1) {
    this.schema = schema
  }
}

/**
 * Validates data against the present version of its type.
 *
 * @throws MillraceError `type.unknown`, `event.invalid`
 */
export function validateData(topic: Topic, type: string, data: unknown): unknown {
  return validate(presentOf(topic, type).schema, data, type)
}

/**
 * Brings a stored event to the present version of its type and checks it.
 *
 * @throws MillraceError `type.unknown`, `upcaster.failed`, `event.invalid`, `event.too-large`
 */
export function upcast<T extends Topic>(topic: T, event: Event): EventOf<T> {
  const fault = faultOf(event)
  if (fault) throw fault
  const entry = typeOf(topic, event.type)
  if (!isVersioned(entry)) {
    const version = event.dataversion ?? 1
    if (version > 1) throw tooNew(event.type, version, 1)
    return { ...event, data: validate(entry, event.data, event.type) } as EventOf<T>
  }
  let version = event.dataversion ?? 1
  let data = event.data
  if (version > entry.version) throw tooNew(event.type, version, entry.version)
  for (; version < entry.version; version++) {
    try {
      data = entry.upcasters[version]?.(data)
    } catch (cause) {
      throw new MillraceError(
        'upcaster.failed',
        `${event.type}: the upcaster from version ${version} failed`,
        { cause },
      )
    }
  }
  const checked = validate(entry.schema, data, event.type)
  // Nearly all: without a spread that may be empty.
  if (version === 1) return { ...event, data: checked } as EventOf<T>
  return { ...event, dataversion: version, data: checked } as EventOf<T>
}

function tooNew(type: string, version: number, known: number): MillraceError {
  return new MillraceError('upcaster.failed', `${type} has version ${version}; this program knows ${known}`)
}

function typeOf(topic: Topic, type: string): StandardSchemaV1 | VersionedType {
  const entry = Object.hasOwn(topic.types, type) ? topic.types[type] : undefined
  if (!entry) throw new MillraceError('type.unknown', `Topic ${topic.name} has no event type "${type}"`)
  return entry
}

function isVersioned(entry: StandardSchemaV1 | VersionedType): entry is VersionedType {
  return 'schema' in entry && 'version' in entry
}

function versioned(entry: StandardSchemaV1 | VersionedType): VersionedType {
  return isVersioned(entry) ? entry : { schema: entry, version: 1, upcasters: {} }
}
