import type { Recorded } from '@millrace/log'
import { factsOf } from './failure-facts.ts'
import type { ParkTry } from './parked-key.ts'

/** An event that could not be processed, with its place on the log. Its body stays there. */
export interface DeadLetter {
  readonly id: string
  readonly seq: number
  readonly key: string
  readonly type: string
  readonly eventId: string
  readonly correlationId?: string
  /** Code of the error, or `attempts-spent` with the last error in the message. */
  readonly reason: string
  readonly message: string
  readonly stack?: string
  /** Groups errors of one cause. */
  readonly fingerprint?: string
  readonly attempts: number
  /** The last attempts, earliest first, as far as they are known. */
  readonly tries?: readonly ParkTry[]
  /** What the error says beside its message, such as a provider's masked answer. Safe to show. */
  readonly details?: Readonly<Record<string, unknown>>
  /** When it was given up, in ms since the epoch, by the member's clock. */
  readonly atMs: number
}

/** Writes the letter of an event that is given up. */
export function deadLetterOf(
  recorded: Recorded,
  error: unknown,
  given: {
    readonly attempts: number
    readonly atMs: number
    readonly spent?: boolean
    readonly tries?: readonly ParkTry[]
  },
): DeadLetter {
  const { event, position } = recorded
  const facts = factsOf(error)
  return {
    id: position.id,
    seq: position.seq,
    key: event.subject,
    type: event.type,
    eventId: event.id,
    // Poison may lack what every event has.
    ...(typeof event.correlationid === 'string' ? { correlationId: event.correlationid } : {}),
    ...facts,
    reason: given.spent ? 'attempts-spent' : facts.reason,
    attempts: given.attempts,
    ...(given.tries === undefined || given.tries.length === 0 ? {} : { tries: given.tries }),
    atMs: given.atMs,
  }
}
