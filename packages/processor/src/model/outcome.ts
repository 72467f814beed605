import type { Event, Topic } from '@millrace/event'

/**
 * What a delivery ends in, once it is settled. A failure is none: the lane reports it, and whether it is tried again
 * is the engine's decision.
 */
export type Outcome = 'done' | 'deferred' | 'dead'

/** An event to append to a topic. Complete and checked: only the place on the log is missing. */
export interface Emit {
  readonly topic: Topic
  /** Its id derives from group, cause, topic and ordinal: the same whenever the cause is handled again. */
  readonly event: Event
  /** The event as JSON, as it is to lie on the log. */
  readonly text: string
}

/** An action on the outside world that is to be carried out after the commit. */
export interface EffectIntent {
  /** Name of its definition. */
  readonly name: string
  readonly key: string
  /** Derives from group, cause, name and ordinal: the same in every attempt and after every crash. */
  readonly idempotencyKey: string
  /** The payload as JSON, as its schema let it through. */
  readonly payload: string
  /** Counts the effects of one name in one delivery, from 0. */
  readonly ordinal: number
  readonly correlationId: string
  /** Id of the event that led to it. */
  readonly causationId: string
  readonly traceparent?: string
}

/** A durable timer of the key is set, or cancelled. There is one of a name: the last change stands. */
export interface TimerChange {
  /** Name of the operator that it belongs to. */
  readonly name: string
  /** When it is due, in ms since the epoch; undefined: cancelled. */
  readonly dueMs: number | undefined
}

/** A durable timer that is due. */
export type DueTimer = TimerChange & { readonly dueMs: number }
