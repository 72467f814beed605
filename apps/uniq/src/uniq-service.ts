import { type EncodedEvent, type Event, MillraceError } from '@millrace/event'
import {
  type AppendResult,
  type AppendUnit,
  type Position,
  type RepeatBounds,
  repeatUnknown,
} from '@millrace/log'
import type { ConstraintAction, Uniq } from '@millrace/uniq'

/** What a request wants to do: the action of its event's type; `none` for an event that no constraint names. */
export type UniqAction = ConstraintAction | 'none'

/** What goes with an event. */
export interface AppendOptions {
  /** The event with its JSON, where it was made with it: it is not made again. */
  readonly encoded?: EncodedEvent
  /** Keyed digest of the request that the event comes from. A repeat with another one is refused with 422. */
  readonly fingerprint?: string | undefined
  /** Events that the key must have. A create demands 0 by itself. */
  readonly expectedVersion?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** What became of an event. */
export interface Appended {
  /** `duplicate`: it was there already; `unchanged`: the change would have changed nothing. */
  readonly status: 'appended' | 'duplicate' | 'unchanged'
  /** Of the event; when unchanged, of the last event of its key. */
  readonly position: Position
  /** Events of the key after this one; only when it was appended. */
  readonly version?: number
}

/** Uniq for one topic. It fits the port that user-command has for it. */
export interface UniqOfTopic {
  /**
   * Appends an event with the claims that the constraints ask for. While nobody knows whether an attempt took
   * place the same event is sent again, within a time limit.
   *
   * @throws MillraceError `event.invalid` (the action is not that of the type, or a value has no normal form),
   *   `append.claimed`, `append.not-owner`, `append.version`, `append.fingerprint`, `append.unknown`,
   *   `append.keyring`, `append.gated`, `log.unavailable`
   */
  append(action: UniqAction, event: Event, options?: AppendOptions): Promise<Appended>
  /** The key that holds a value. @throws MillraceError `event.invalid`, `log.unavailable` */
  ownerOf(constraint: string, values: readonly string[]): Promise<string | undefined>
}

/** Options of {@link createUniqService}. */
export interface UniqServiceOptions {
  /** One guard a topic. */
  readonly guards: readonly Uniq[]
  /** How long and how often an append with an unknown result is repeated. */
  readonly repeat?: RepeatBounds
}

/** The core of the service: what its HTTP interface and callers in the same process use. */
export interface UniqService {
  /** The guard of a topic, which may be left out while there is but one. */
  guard(topic?: string): Uniq
  /** @throws MillraceError `topic.unknown` */
  of(topic?: string): UniqOfTopic
}

/** Makes the core of the service. It keeps nothing: any number of instances may run. */
export function createUniqService(options: UniqServiceOptions): UniqService {
  const byTopic = new Map(
    options.guards.map((guard) => [guard.topic.name, { guard, uniq: uniqOf(guard, options.repeat) }]),
  )
  const only = byTopic.size === 1 ? [...byTopic.keys()][0] : undefined
  const find = (topic = only) => {
    const found = topic === undefined ? undefined : byTopic.get(topic)
    if (found) return found
    throw new MillraceError(
      'topic.unknown',
      topic === undefined
        ? `Name one of the topics ${[...byTopic.keys()].join(', ')}`
        : 'Uniq has no constraints for this topic',
    )
  }
  return { guard: (topic) => find(topic).guard, of: (topic) => find(topic).uniq }
}

function uniqOf(guard: Uniq, repeat: RepeatBounds | undefined): UniqOfTopic {
  return {
    append: (action, event, extra = {}) => append(guard, action, event, extra, repeat),
    ownerOf: (constraint, values) => guard.ownerOf(constraint, values),
  }
}

function append(
  guard: Uniq,
  action: UniqAction,
  event: Event,
  { encoded, fingerprint, expectedVersion, signal }: AppendOptions,
  repeat: RepeatBounds = {},
): Promise<Appended> {
  const unit: { -readonly [Name in keyof AppendUnit]: AppendUnit[Name] } = { events: [event] }
  if (encoded !== undefined) unit.encoded = [encoded]
  if (fingerprint !== undefined) unit.fingerprint = fingerprint
  if (expectedVersion !== undefined) unit.expectedVersion = expectedVersion
  if (action === 'change') unit.skipUnchanged = true
  const units = [unit]
  const attempt = (): Promise<Appended> => guard.append(units).then(appendedOf)
  try {
    assertAction(guard, action, event.type)
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)))
  }
  return repeatUnknown(attempt, signal ? { ...repeat, signal } : repeat)
}

function appendedOf([result]: readonly AppendResult[]): Appended {
  if (result?.status === 'refused') throw result.error
  if (result?.status === 'unchanged') return { status: 'unchanged', position: result.position }
  const position = result?.positions[0]
  if (!result || !position) throw new TypeError('The log answered without a position')
  return result.status === 'appended'
    ? { status: 'appended', position, version: result.version }
    : { status: 'duplicate', position }
}

const methods = { create: 'POST', none: 'POST', change: 'PATCH', release: 'DELETE' } as const

function assertAction(guard: Uniq, action: UniqAction, type: string): void {
  const actual = guard.actionOf(type) ?? 'none'
  if (actual === action || methods[actual] === methods[action]) return
  throw new MillraceError(
    'event.invalid',
    `${type} ${meanings[actual]}: send it with ${methods[actual]}, not ${methods[action]}`,
    { errors: [{ field: 'type', message: `goes with ${methods[actual]}` }] },
  )
}

const meanings: Readonly<Record<UniqAction, string>> = {
  create: 'claims values',
  change: 'changes claims',
  release: 'releases claims',
  none: 'has no constraint',
}
