import type { MillraceError } from '@millrace/event'
import { type FailureScope, type FailureStep, mailError, type MailFailureDetails } from './mail-failure.ts'
import type { SendAttempt } from './send-attempt.ts'

// 5xx replies that speak of us and not of the mail: wrong state of the session (503), authentication
// missing or refused (530, 534, 535, 538). Taken as refusals they would dead-letter everybody's mail.
const aboutUs: ReadonlySet<number> = new Set([503, 530, 534, 535, 538])

/** What nodemailer hangs on its errors (its `NodemailerError`), read without trusting any of it. */
interface Reply {
  readonly code: string
  readonly command: string
  readonly status: number | undefined
  readonly text: string | undefined
}

/** Turns what nodemailer threw into one of the three failures. */
export function smtpFailure(error: unknown, attempt: SendAttempt): MillraceError {
  const reply = replyOf(error)
  const step = stepOf(reply, attempt)
  if (reply.status === undefined) return withoutReply(reply, step, attempt)
  const about = {
    step,
    reason: String(reply.status),
    ...(reply.text === undefined ? {} : { answer: reply.text }),
  }
  const ofMessage = step === 'recipient' || step === 'body' || step === 'answer'
  if (ofMessage && reply.status >= 500 && !aboutUs.has(reply.status)) {
    return mailError('mail.refused', { scope: 'message', ...about })
  }
  return mailError('mail.temporary', { scope: temporaryScope(reply, ofMessage), ...about })
}

/**
 * Whom a reply that is not final speaks of. 421 closes the session; the enhanced codes x.3 and x.4
 * (RFC 3463) are the provider's own system and network. Anything else about a recipient or a body
 * (greylisting, a full mailbox) is about that mail: the provider is well.
 */
function temporaryScope(reply: Reply, ofMessage: boolean): FailureScope {
  const status = reply.status ?? 0
  if (!ofMessage || status === 421 || status >= 500) return 'provider'
  return /^\d{3}[ -]4\.[34]\./.test(reply.text ?? '') ? 'provider' : 'message'
}

function withoutReply(reply: Reply, step: FailureStep, attempt: SendAttempt): MillraceError {
  if (attempt.handedOver) {
    const scope = attempt.givenUp === 'aborted' ? 'local' : 'provider'
    return mailError('mail.unknown', { scope, step: 'answer', reason: attempt.givenUp ?? reply.code })
  }
  if (attempt.givenUp === 'aborted') {
    return mailError('mail.temporary', { scope: 'local', step, reason: 'aborted' })
  }
  if (reply.code === 'EENVELOPE' || reply.code === 'EMESSAGE') {
    return mailError('mail.refused', { scope: 'message', step, reason: reply.code })
  }
  const details: MailFailureDetails = { scope: 'provider', step, reason: attempt.givenUp ?? reply.code }
  return mailError('mail.temporary', details)
}

function stepOf(reply: Reply, attempt: SendAttempt): FailureStep {
  if (reply.command === 'RCPT TO') return 'recipient'
  if (reply.command === 'DATA') return reply.code === 'EMESSAGE' ? 'answer' : 'body'
  if (attempt.handedOver) return 'answer'
  return reply.command === 'CONN' ? 'connect' : 'session'
}

function replyOf(error: unknown): Reply {
  const read = (key: string): unknown =>
    typeof error === 'object' && error !== null && key in error ? Reflect.get(error, key) : undefined
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  const status = read('responseCode')
  return {
    code: text(read('originalCode')) ?? text(read('code')) ?? 'error',
    command: text(read('command')) ?? '',
    status: typeof status === 'number' ? status : undefined,
    text: text(read('response')),
  }
}
