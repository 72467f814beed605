import type { Session } from '@millrace/accounts'
import { MillraceError } from '@millrace/event'
import type { Call, CommandPorts } from './command.ts'
import { ownAccount } from './own-account.ts'
import type { VersionMatch } from './version-match.ts'
import { writeIdentity } from './write-identity.ts'
import { type AccountWritten, writeToAccount } from './write-to-account.ts'

/**
 * Gives an account another address: claims the new one and frees the old one in one step. The address that it
 * has already, in whatever letters, is a success that writes nothing.
 *
 * @throws MillraceError `append.claimed`, `append.version` (412), `account.unknown`, `request.unauthorized`
 */
export function changeEmail(
  ports: CommandPorts,
  call: Call,
  session: Session,
  email: string,
  match: VersionMatch | undefined,
): Promise<AccountWritten> {
  const identity = writeIdentity(ports.idempotencySecret, {
    route: 'PATCH /users/:id',
    scope: session.accountId,
    idempotencyKey: call.idempotencyKey,
    body: { email },
  })
  return writeToAccount(ports, call, {
    ...identity,
    accountId: session.accountId,
    action: 'change',
    actor: session.accountId,
    decide: (history) => {
      ownAccount(history, session)
      if (match && !match(history.version))
        throw new MillraceError('append.version', `The account has version ${history.version}`, {
          details: { version: history.version },
        })
      return { type: 'EmailChanged', data: { email } }
    },
  })
}
