import { MillraceError } from '@millrace/event'
import { readRetryAfter } from '@millrace/retry'
import { mailError } from './mail-failure.ts'
import type { SendAttempt } from './send-attempt.ts'

/**
 * Statuses below 500 that do not refuse the mail: they speak of our token or address of the interface
 * (401, 403, 404, 405, 407) or ask to come again (408, 425, 429). Taken as refusals, a wrong token would
 * dead-letter everybody's mail.
 */
const aboutUs: ReadonlySet<number> = new Set([401, 403, 404, 405, 407, 408, 425, 429])

/** The longest pause that a provider is granted: a mail is wanted within hours. */
const longestWaitMs = 60 * 60 * 1_000

/** What an answer other than 2xx means. */
export function restRefusal(response: Response, answer: string): MillraceError {
  const { status } = response
  const wished = readRetryAfter(response.headers.get('retry-after'), Date.now())
  const wait = wished === undefined ? undefined : Math.min(wished, longestWaitMs)
  const details = {
    step: 'answer',
    reason: String(status),
    answer: `${status} ${answer}`,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  } as const
  // 409: another request with this key is being worked on.
  if (status === 409) return mailError('mail.temporary', { scope: 'message', ...details })
  if (status >= 400 && status < 500 && !aboutUs.has(status)) {
    return mailError('mail.refused', { scope: 'message', ...details })
  }
  return mailError('mail.temporary', { scope: 'provider', ...details })
}

/** What a request that failed without an answer means: never unknown, the key makes a repeat harmless. */
export function restFailure(error: unknown, attempt: SendAttempt): MillraceError {
  if (error instanceof MillraceError) return error
  const scope = attempt.givenUp === 'aborted' ? 'local' : 'provider'
  return mailError('mail.temporary', { scope, step: 'session', reason: attempt.givenUp ?? causeOf(error) })
}

// fetch says "fetch failed" and hides what happened in the cause; a host with several addresses one deeper.
function causeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code: unknown =
    typeof inner === 'object' && inner !== null && 'code' in inner ? inner.code : undefined
  if (typeof code === 'string') return code
  return error instanceof Error ? error.name : 'error'
}
