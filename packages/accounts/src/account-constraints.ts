import { type Constraints, readConstraints } from '@millrace/uniq'
import { accounts } from './accounts-topic.ts'

/** Whether two live accounts may have the same username. */
export type Usernames = 'shared' | 'unique'

/**
 * What must be unique among live accounts: the address always, the username only when asked for.
 * This is the content of Uniq's configuration file for the accounts topic.
 */
export function accountConstraints(options: { readonly usernames?: Usernames } = {}): Constraints {
  const email = {
    name: 'email',
    normalise: ['email'],
    create: { AccountCreated: ['email'] },
    change: { EmailChanged: ['email'] },
    release: ['AccountClosed'],
  }
  const username = {
    name: 'username',
    normalise: ['text'],
    create: { AccountCreated: ['username'] },
    release: ['AccountClosed'],
  }
  return readConstraints(
    { topic: accounts.name, constraints: options.usernames === 'unique' ? [email, username] : [email] },
    accounts,
  )
}
