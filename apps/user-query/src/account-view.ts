import { type AccountEvent, accounts } from '@millrace/accounts'
import { upcast } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import { parseAddress } from '@millrace/uniq'
import type { View } from '@millrace/view'
import type { AccountRow, AccountRows } from './account-rows.ts'

/** The view of user-query: accounts by id, and sign-ups by day and by host of the address. */
export const accountView: View<AccountRows> = {
  name: 'user-query',
  topic: accounts,
  fold: foldAccountEvent,
  lastSeqs: async (rows, ids) => new Map((await rows.load(ids)).map(({ id, lastSeq }) => [id, lastSeq])),
  rewind: async (rows, { partition, seq }, history) => {
    const touched = await rows.touchedAfter(partition, seq)
    for (const row of touched) {
      // What it was counted for is in the row, whatever the code was then: this takes it back exactly.
      await rows.countSignUp(row, -1)
      await rows.remove(row.id)
      for (const recorded of await history(row.id)) await foldAccountEvent(rows, recorded)
    }
    return touched.length > 0 ? 'more' : 'done'
  },
}

async function foldAccountEvent(rows: AccountRows, { event, position }: Recorded): Promise<void> {
  const before = await rows.get(event.subject)
  // A type that a newer program has brought: it counts for the version and says nothing else to this one.
  const known = Object.hasOwn(accounts.types, event.type) ? upcast(accounts, event) : undefined
  if (!before) {
    if (known?.type === 'AccountCreated') {
      const row = created(known, position)
      await rows.put(row)
      await rows.countSignUp(row, 1)
    }
    return
  }
  const aged = { ...before, version: before.version + 1, lastSeq: position.seq }
  await rows.put(known && !before.closed ? changed(aged, known) : aged)
}

function created(
  event: Extract<AccountEvent, { type: 'AccountCreated' }>,
  { partition, seq }: Recorded['position'],
): AccountRow {
  const { username, email } = event.data
  const createdAt = new Date(event.time).toISOString()
  return {
    id: event.subject,
    username,
    email,
    activated: false,
    closed: false,
    createdAt,
    version: 1,
    passwordVersion: 1,
    partition,
    lastSeq: seq,
    day: createdAt.slice(0, 10),
    host: hostOf(email),
  }
}

function changed(row: AccountRow, event: AccountEvent): AccountRow {
  switch (event.type) {
    case 'AccountActivated':
      return event.data.email === row.email ? { ...row, activated: true } : row
    case 'EmailChanged':
      return { ...row, email: event.data.email, activated: false }
    case 'PasswordChanged':
      return { ...row, passwordVersion: row.version }
    case 'AccountClosed':
      // Nobody can read it any more; the row stays for the statistics and the version.
      return { ...row, closed: true, activated: false, username: '', email: '' }
    case 'AccountCreated':
    case 'ActivationRequested':
    case 'SignUpAttempted':
      return row
  }
}

function hostOf(email: string): string {
  const parsed = parseAddress(email)
  return parsed.ok ? parsed.address.host : 'unknown'
}
