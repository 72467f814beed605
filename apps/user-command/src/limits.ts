import { type LinkMailLimits, linkMailLimits } from '@millrace/accounts'
import type { TokenBucketsOptions } from '@millrace/hono'

/** How much may be asked of the service. Buckets are of one instance; what the history decides holds for all. */
export interface UserCommandLimits {
  /** Time for one request, in ms; then 503. Less than what callers wait. */
  readonly requestMs: number
  /** Sign-ins with one address, whether it has an account or not. */
  readonly signIns: TokenBucketsOptions
  /** Requests for a link by one address, whether it has an account or not. */
  readonly resends: TokenBucketsOptions
  /** Changes of address by one account. */
  readonly changes: TokenBucketsOptions
  /** Changes of password by one account: wrong present passwords count too. */
  readonly passwordChanges: TokenBucketsOptions
  /** Mails with a link to one account. */
  readonly linkMails: LinkMailLimits
  /** Answers that must not tell by their time whether an address has an account take at least so many ms. */
  readonly answerFloorMs: number
}

/** Enough for people with unsteady fingers, too little for guessing. */
export const defaultLimits = {
  requestMs: 4_500,
  signIns: { burst: 20, perSecond: 0.2 },
  resends: { burst: 3, perSecond: 1 / 300 },
  changes: { burst: 10, perSecond: 1 / 60 },
  passwordChanges: { burst: 10, perSecond: 1 / 60 },
  linkMails: linkMailLimits,
  answerFloorMs: 300,
} as const satisfies UserCommandLimits
