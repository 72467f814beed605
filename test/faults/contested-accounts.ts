import { accountConstraints, accounts } from '@millrace/accounts'
import { type Event, newEvent } from '@millrace/event'
import { createKeyring } from '@millrace/uniq'
import type { Random } from '../support/random.ts'
import type { Operation } from '../uniq/history.ts'

/** The ring that every process of a run holds; rebuilds move the claims from one of its versions to the other. */
export const keyring = createKeyring([
  { version: '1', secret: Buffer.alloc(32, 1), normaliser: 1 },
  { version: '2', secret: Buffer.alloc(32, 2), normaliser: 1 },
])

/** The constraints of a run. */
export const constraints = accountConstraints()

/** Token between the clients of a run and its Uniq processes. */
export const serviceToken = 'token-between-services'

/** Address number `n` of those that everybody wants, in its normal form. */
export function hotValue(n: number): string {
  return `hot-${n}@example.org`
}

/** A value of several spellings: a claim must not care. */
export function respelled(random: Random, value: string): string {
  const at = value.indexOf('@')
  return random() < 0.5
    ? value
    : `${random() < 0.5 ? ' ' : ''}${value.slice(0, at).toUpperCase()}${value.slice(at)}`
}

const types = { create: 'AccountCreated', change: 'EmailChanged', release: 'AccountClosed' } as const

/** The event of one operation. */
export function eventOf(action: Operation['action'], account: string, email: string | undefined): Event {
  const base = { username: account, passwordHash: '$none' }
  const data = action === 'release' ? {} : action === 'change' ? { email } : { ...base, email }
  return newEvent(accounts, { type: types[action], key: account, data, source: '/test/history' })
}
