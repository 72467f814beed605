import { MillraceError } from '@millrace/event'
import { maskedAnswer } from './masked-answer.ts'

/**
 * Whom a failure is about.
 * - `provider`: nobody's mail gets through (down, rate limit, our password refused): counts for the breaker;
 * - `message`: this mail or this address alone; the provider is well;
 * - `local`: we gave up ourselves (a stop, a full queue); says nothing about the provider.
 */
export type FailureScope = 'provider' | 'message' | 'local'

/** How far the mail came. */
export type FailureStep = 'address' | 'queue' | 'connect' | 'session' | 'recipient' | 'body' | 'answer'

type MailErrorCode = 'mail.temporary' | 'mail.refused' | 'mail.unknown'

export interface MailFailureDetails {
  readonly scope: FailureScope
  readonly step: FailureStep
  /** A short technical word, such as `ECONNREFUSED` or `550`. */
  readonly reason: string
  /** The provider's words, masked. */
  readonly answer?: string
  /** The provider asked to wait this long. */
  readonly retryAfterMs?: number
}

/** A failure as the parts that decide what happens next. */
export interface MailFailure extends MailFailureDetails {
  readonly code: MailErrorCode
}

const steps: ReadonlySet<unknown> = new Set<FailureStep>([
  'address',
  'queue',
  'connect',
  'session',
  'recipient',
  'body',
  'answer',
])

const sentences: Record<MailErrorCode, string> = {
  'mail.temporary': 'The mail could not be sent now',
  'mail.refused': 'The mail was refused for good',
  'mail.unknown': 'The connection was lost after the mail was handed over; it may have been sent',
}

/**
 * Makes the error of a failed send. The original error is left out on purpose: its message repeats the
 * address, and errors are logged.
 */
export function mailError(code: MailErrorCode, details: MailFailureDetails): MillraceError {
  const { answer, ...rest } = details
  const masked = answer === undefined ? undefined : maskedAnswer(answer)
  return new MillraceError(code, `${sentences[code]} (${details.step}: ${masked ?? details.reason})`, {
    details: { ...rest, ...(masked === undefined ? {} : { answer: masked }) },
  })
}

/** We ended the wait ourselves, with nothing sent. */
export function gaveUp(reason: 'stopped' | 'aborted' | 'queue-full'): MillraceError {
  return mailError('mail.temporary', { scope: 'local', step: 'queue', reason })
}

/** Reads a failure back from what `send` threw; undefined for anything else. */
export function mailFailureOf(error: unknown): MailFailure | undefined {
  if (!(error instanceof MillraceError)) return undefined
  if (!isMailErrorCode(error.code)) return undefined
  const { scope, step, reason, answer, retryAfterMs } = error.details
  return {
    code: error.code,
    scope: scope === 'provider' || scope === 'message' ? scope : 'local',
    step: isStep(step) ? step : 'queue',
    reason: typeof reason === 'string' ? reason : error.code,
    ...(typeof answer === 'string' ? { answer } : {}),
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  }
}

function isMailErrorCode(code: string): code is MailErrorCode {
  return Object.hasOwn(sentences, code)
}

function isStep(step: unknown): step is FailureStep {
  return steps.has(step)
}
