import type { Session } from '@millrace/accounts'
import type { Call, CommandPorts } from './command.ts'
import { ownAccount } from './own-account.ts'
import { writeIdentity } from './write-identity.ts'
import { type AccountWritten, writeToAccount } from './write-to-account.ts'

/**
 * Closes an account for good and frees what it holds.
 *
 * @throws MillraceError `account.unknown` (also when it is closed already), `request.unauthorized`
 */
export function closeAccount(ports: CommandPorts, call: Call, session: Session): Promise<AccountWritten> {
  const identity = writeIdentity(ports.idempotencySecret, {
    route: 'DELETE /users/:id',
    scope: session.accountId,
    idempotencyKey: call.idempotencyKey,
    body: {},
  })
  return writeToAccount(ports, call, {
    ...identity,
    accountId: session.accountId,
    action: 'release',
    actor: session.accountId,
    decide: (history) => {
      ownAccount(history, session)
      return { type: 'AccountClosed', data: {} }
    },
  })
}
