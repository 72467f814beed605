import type { Topic } from '@millrace/event'

/** An event that a processor has emitted. */
export interface EmittedEvent {
  readonly topic: string
  readonly type: string
  readonly key: string
  readonly data: unknown
  readonly id: string
  readonly causationId: string | undefined
}

/** An effect that a processor has recorded. */
export interface EffectSeen {
  readonly name: string
  readonly key: string
  readonly payload: unknown
  readonly idempotencyKey: string
}

/** An event that is not done: it was given up, set aside, or holds its key up. */
export interface EventSeen {
  readonly key: string
  readonly type: string
  readonly reason: string
}

/** What has come of the events that were appended since one looked last. */
export interface Outcome<S> {
  /** State of the key that the last event belongs to. */
  readonly state: S | undefined
  readonly emitted: readonly EmittedEvent[]
  /** In the order in which they were recorded. */
  readonly effects: readonly EffectSeen[]
  /** Dead letters, all that there are. */
  readonly dead: readonly EventSeen[]
  /** Events that wait for their precondition, all that there are. */
  readonly deferred: readonly EventSeen[]
  /** Heads of keys that wait for a retry or an operator, all that there are. */
  readonly parked: readonly EventSeen[]
}

/**
 * What a scenario is expected to come to. Lists must have that length and order; of each element, and of the state,
 * only what is given is compared. What is left out is not looked at, but dead letters and parked keys: none is
 * expected where nothing is said.
 */
export interface Expectation<S> {
  readonly state?: S extends object ? Partial<S> : S
  readonly emitted?: readonly (Partial<Omit<EmittedEvent, 'topic'>> & { readonly topic?: string | Topic })[]
  readonly effects?: readonly Partial<EffectSeen>[]
  readonly dead?: readonly Partial<EventSeen>[]
  readonly deferred?: readonly Partial<EventSeen>[]
  readonly parked?: readonly Partial<EventSeen>[]
}
