import type { Position } from '@millrace/log'

/** What a call for the state of a key in another system is made with. */
export interface TouchContext {
  /** Aborted when the time limit is over, or the right to handle the key is lost. */
  readonly signal: AbortSignal
  /** That of the event that led to it, or of the request. */
  readonly correlationId: string
}

/** The state of a key as another system has it. */
export interface ForeignState<S> {
  /** In the form of this processor's state. */
  readonly state: S
  /**
   * Up to when it is told: events of the key whose `time` is not later, or that lie at this position or before it, are
   * in it already and are not folded a second time.
   */
  readonly asOf: Date | Position
}

/** Asks another system for a key; undefined: it knows nothing of it. */
export type ForeignLoad<S> = (key: string, context: TouchContext) => Promise<ForeignState<S> | undefined>

/** How a key that has no state yet takes it over from another system when its first event comes. See docs/shadow.md. */
export interface FirstTouchOptions<S> {
  /**
   * A failure parks the key, which is tried again in order and costs no attempt; other keys go on. Only
   * MillraceErrors that are not retryable, and answers that break the state's schema, are final.
   */
  readonly load: ForeignLoad<S>
  /** Most time of one call in ms. Default 10,000. */
  readonly timeoutMs?: number
  /** Most calls at once, for each partition. Default 16. */
  readonly atOnce?: number
}

/** How a state is taken over, complete. */
export type FirstTouch<S> = Required<FirstTouchOptions<S>>

const bounds = { timeoutMs: 10_000, atOnce: 16 }

/** Throws a TypeError when the options are wrong: that is a mistake in code. */
export function firstTouchOf<S>(options: FirstTouchOptions<S>): FirstTouch<S> {
  const complete = { ...bounds, ...options }
  if (!(complete.timeoutMs > 0)) throw new TypeError('timeoutMs of a first touch must be above 0')
  if (!Number.isInteger(complete.atOnce) || complete.atOnce < 1)
    throw new TypeError('atOnce of a first touch must be a whole number from 1')
  return complete
}
