import { MillraceError } from '@millrace/event'
import type { Recorded } from '@millrace/log'

/** An event that could not be processed, with its place on the log. Its body stays there. */
export interface DeadLetter {
  readonly id: string
  readonly seq: number
  readonly key: string
  readonly type: string
  readonly eventId: string
  /** Code of the error, or `attempts-spent` with the last error in the message. */
  readonly reason: string
  readonly message: string
  readonly stack?: string
  readonly attempts: number
  /** What the error says beside its message, such as a provider's masked answer. Safe to show. */
  readonly details?: Readonly<Record<string, unknown>>
  /** When it was given up, in ms since the epoch, by the member's clock. */
  readonly atMs: number
}

// A letter is read by people and kept for long: bounded, whatever was thrown.
const mostMessage = 1_000
const mostStack = 4_000
const mostDetails = 4_000

/** Writes the letter of an event that is given up. */
export function deadLetterOf(
  recorded: Recorded,
  error: unknown,
  given: { readonly attempts: number; readonly atMs: number; readonly spent?: boolean },
): DeadLetter {
  const { event, position } = recorded
  const known = error instanceof MillraceError ? error : undefined
  const details = known && boundedDetails(known.details)
  return {
    id: position.id,
    seq: position.seq,
    key: event.subject,
    type: event.type,
    eventId: event.id,
    reason: given.spent ? 'attempts-spent' : (known?.code ?? 'internal'),
    message: cut(error instanceof Error ? error.message : String(error), mostMessage),
    ...(error instanceof Error && error.stack !== undefined ? { stack: cut(error.stack, mostStack) } : {}),
    attempts: given.attempts,
    ...(details === undefined ? {} : { details }),
    atMs: given.atMs,
  }
}

function boundedDetails(
  details: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | undefined {
  if (Object.keys(details).length === 0) return undefined
  return JSON.stringify(details).length <= mostDetails
    ? details
    : { omitted: Object.keys(details).join(', ') }
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`
}
