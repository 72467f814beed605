import { MillraceError } from '@millrace/event'
import { fingerprintOf } from '@millrace/retry'

/** What is kept of an error: read by people, for long, so it is bounded, whatever was thrown. */
export interface FailureFacts {
  /** Its code; `internal` for errors that are not ours. */
  readonly reason: string
  readonly message: string
  readonly stack?: string
  /** Groups errors of one cause. */
  readonly fingerprint: string
  /** What the error says beside its message, such as a provider's masked answer. Safe to show. */
  readonly details?: Readonly<Record<string, unknown>>
}

const mostMessage = 1_000
const mostStack = 4_000
const mostDetails = 4_000

/** Describes an error. */
export function factsOf(error: unknown): FailureFacts {
  const known = error instanceof MillraceError ? error : undefined
  const details = known && boundedDetails(known.details)
  return {
    reason: known?.code ?? 'internal',
    message: cut(error instanceof Error ? error.message : String(error), mostMessage),
    ...(error instanceof Error && error.stack !== undefined ? { stack: cut(error.stack, mostStack) } : {}),
    fingerprint: fingerprintOf(error).id,
    ...(details === undefined ? {} : { details }),
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

/** A text of at most so many characters. */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`
}
