import { type Event, upcast } from '@millrace/event'
import { type AccountEvent, accounts } from './accounts-topic.ts'

/**
 * An account as its events tell it.
 *
 *     ─ AccountCreated ─▶ pending ─ AccountActivated ─▶ active
 *                          │  ▲                        │  │
 *                          │  └────── EmailChanged ────┘  │
 *                          └── AccountClosed ─▶ closed ◀──┘
 *
 * PasswordChanged, ActivationRequested and SignUpAttempted leave the state as it is. Nothing leaves `closed`:
 * whoever comes back is a new account.
 */
export interface Account {
  readonly id: string
  readonly state: 'pending' | 'active' | 'closed'
  readonly username: string
  /** As typed, trimmed and in NFC. */
  readonly email: string
  /** In PHC form. */
  readonly passwordHash: string
  /** Version of the account at which the password was set; sessions of an earlier one are void. */
  readonly passwordVersion: number
  readonly createdAt: string
  /** Events so far. */
  readonly version: number
  /** When the latest links to confirm an address were asked for, in ms; the last {@link linkMailsKept}. */
  readonly linkMailsAtMs: readonly number[]
  /** The latest attempt of somebody to sign up with this address. */
  readonly lastAttempt: { readonly eventId: string; readonly atMs: number } | undefined
}

/** How many link mails the fold remembers: enough for the limits, and bounded. */
export const linkMailsKept = 16

/** Folds the events of one key, from its first; undefined when there is no account. */
export function foldAccount(events: Iterable<Event>): Account | undefined {
  let account: Account | undefined
  for (const event of events) account = applyToAccount(account, upcast(accounts, event))
  return account
}

/** The account after one more event. */
export function applyToAccount(account: Account | undefined, event: AccountEvent): Account | undefined {
  if (event.type === 'AccountCreated') return account ? aged(account) : created(event)
  if (!account) return undefined
  const next = aged(account)
  if (account.state === 'closed') return next
  const atMs = Date.parse(event.time)
  switch (event.type) {
    case 'AccountActivated':
      return event.data.email === account.email ? { ...next, state: 'active' } : next
    case 'EmailChanged':
      return { ...withLinkMail(next, atMs), state: 'pending', email: event.data.email }
    case 'PasswordChanged':
      return { ...next, passwordHash: event.data.passwordHash, passwordVersion: next.version }
    case 'ActivationRequested':
      return withLinkMail(next, atMs)
    case 'SignUpAttempted':
      return { ...next, lastAttempt: { eventId: event.id, atMs } }
    case 'AccountClosed':
      return { ...next, state: 'closed' }
  }
}

function created(event: Extract<AccountEvent, { type: 'AccountCreated' }>): Account {
  return {
    id: event.subject,
    state: 'pending',
    username: event.data.username,
    email: event.data.email,
    passwordHash: event.data.passwordHash,
    passwordVersion: 1,
    createdAt: event.time,
    version: 1,
    linkMailsAtMs: [Date.parse(event.time)],
    lastAttempt: undefined,
  }
}

function aged(account: Account): Account {
  return { ...account, version: account.version + 1 }
}

function withLinkMail(account: Account, atMs: number): Account {
  return { ...account, linkMailsAtMs: [...account.linkMailsAtMs, atMs].slice(-linkMailsKept) }
}
