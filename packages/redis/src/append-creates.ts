import type { Topic } from '@millrace/event'
import { type AppendResult, identity, type Prepared } from '@millrace/log'
import type { Redis } from 'ioredis'
import type { AppendBounds, PartitionUnits } from './append.ts'
import { isReply } from './failure.ts'
import type { Keys } from './keys.ts'
import { Script } from './script.ts'

/** What all creates of one call have in common. The same kind is the same object. */
export interface CreateKind {
  readonly constraint: string
  /** Of the keyring. */
  readonly version: string
}

/** What became of creates: nothing said of one is for the append script, and nothing was written of it. */
export type CreateResults = readonly (AppendResult | undefined)[]

const createsScript = new Script('append-creates.lua')

/**
 * What kind of create a unit is, if it is one that `append-creates.lua` can write: one event that begins its key and
 * claims one value under one version of the keyring.
 */
export function createKindOf({ unit }: Prepared): CreateKind | undefined {
  const { events, claims, expectedVersion } = unit
  const claim = claims?.[0]
  if (expectedVersion !== 0 || events.length !== 1 || claims?.length !== 1) return undefined
  if (claim?.action !== 'claim') return undefined
  let only: string | undefined
  for (const version in claim.digests) {
    if (only !== undefined) return undefined
    only = version
  }
  return only === undefined ? undefined : kindOf(claim.constraint, only)
}

const kinds = new Map<string, CreateKind>()
let last: CreateKind = { constraint: '', version: '' }

// One object for each kind, which are as many as there are constraints and versions of their keyrings.
function kindOf(constraint: string, version: string): CreateKind {
  if (last.constraint === constraint && last.version === version) return last
  const name = `${constraint} ${version}`
  const known = kinds.get(name) ?? { constraint, version }
  kinds.set(name, known)
  last = known
  return known
}

/** Appends creates, in half of the time that the append script takes for them. */
export class CreateAppender {
  readonly #redis: Redis
  readonly #keys: Keys
  readonly #bounds: AppendBounds
  readonly #script: Script

  constructor(redis: Redis, keys: Keys, bounds: AppendBounds, script = createsScript) {
    this.#redis = redis
    this.#keys = keys
    this.#bounds = bounds
    this.#script = script
  }

  /** Appends units of one kind to partitions of a topic that lies in one slot, by one call. */
  async parts(
    topic: Topic,
    parts: readonly PartitionUnits[],
    kind: CreateKind,
  ): Promise<readonly CreateResults[]> {
    const names = namesOf(this.#keys, topic, parts)
    try {
      const text = await this.#script.run(this.#redis, names, argsOf(parts, kind, this.#bounds))
      const replies = JSON.parse(String(text)) as readonly Reply[]
      return parts.map((part, at) => resultsOf(topic, part, replies[at] ?? 0))
    } catch (error) {
      // Whatever the server refuses it refuses before the first write; the append script will say it of each partition.
      if (!isReply(error)) throw error
      return parts.map(({ units }) => units.map(() => undefined))
    }
  }
}

/** Where the events of a partition went, and the places, from 1, of those that are left over; 0: that is all. */
type Reply = 0 | readonly [ms: string, first: number, left: readonly number[]]

/** The names in the order that the script states: those of the claims, those of each partition, the key indexes. */
function namesOf(keys: Keys, topic: Topic, parts: readonly PartitionUnits[]): readonly string[] {
  const claims: string[] = []
  const partitions: string[] = []
  const indexes: string[] = []
  for (const { partition, units } of parts) {
    const names = keys.append(
      topic,
      partition,
      units.map(({ key }) => key),
    )
    if (claims.length === 0) claims.push(...names.slice(6, 9))
    partitions.push(...names.slice(0, 5))
    for (let at = 9; at < names.length; at++) indexes.push(names[at] as string)
  }
  return [...claims, ...partitions, ...indexes]
}

function argsOf(
  parts: readonly PartitionUnits[],
  { constraint, version }: CreateKind,
  { now, packEvents, packBytes }: AppendBounds,
): readonly string[] {
  const header = {
    ...(now ? { now: now() } : {}),
    pack: packEvents,
    packBytes,
    n: parts.map(({ units }) => units.length),
    v: version,
    c: constraint,
    keys: [] as string[],
    ids: [] as string[],
    f: [] as string[],
    t: [] as string[],
  }
  const bodies: string[] = []
  for (const { units } of parts) {
    let texts = ''
    let sizes = ''
    for (const { unit, key, texts: own, bytes } of units) {
      const [event] = unit.events
      const [claim] = unit.claims ?? []
      if (!event || !claim) throw new TypeError('A create has one event and one claim')
      header.keys.push(key)
      header.ids.push(identity(event))
      header.f.push(unit.fingerprint ?? '')
      header.t.push(`${version}:${claim.digests[version]}`)
      texts += `${texts && ','}${own[0]}`
      sizes += `${sizes && ','}${bytes}`
    }
    bodies.push(`[${texts}]`, `[${sizes}]`)
  }
  return [JSON.stringify(header), ...bodies]
}

function resultsOf(topic: Topic, { partition, units }: PartitionUnits, reply: Reply): CreateResults {
  if (reply === 0) return units.map(() => undefined)
  const [ms, first, left] = reply
  const open = left.length === 0 ? undefined : new Set(left)
  let seq = first
  return units.map((_, at) => {
    if (open?.has(at + 1)) return undefined
    const position = { topic: topic.name, partition, id: `${ms}-${seq}`, seq: seq++ }
    return { status: 'appended', positions: [position], version: 1 }
  })
}
