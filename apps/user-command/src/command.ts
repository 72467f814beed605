import type { Account, ActivationLinks, LinkMailLimits, SessionTokens, Usernames } from '@millrace/accounts'
import type { Clock } from '@millrace/event'
import type { ReadableLog } from './account-history.ts'
import type { Passwords } from './passwords.ts'
import type { UniqClient } from './uniq-client.ts'

/** What commands need. */
export interface CommandPorts {
  readonly uniq: UniqClient
  readonly log: ReadableLog
  readonly passwords: Passwords
  readonly sessions: SessionTokens
  readonly links: ActivationLinks
  /** Secret of the ids and fingerprints that follow from an `Idempotency-Key`. */
  readonly idempotencySecret: Uint8Array
  readonly clock: Clock
  readonly usernames: Usernames
  readonly linkMails: LinkMailLimits
}

/** What every command knows of its request. */
export interface Call {
  readonly correlationId: string
  readonly traceparent: string
  readonly idempotencyKey: string | undefined
  /** Aborted when the request's time is up. */
  readonly signal: AbortSignal
}

/** Producer of the events; with their ids their identity, so it never changes. */
export const commandSource = '/millrace/user-command'

/** An account that is there and not closed. */
export function isLive(account: Account | undefined): account is Account {
  return account !== undefined && account.state !== 'closed'
}
