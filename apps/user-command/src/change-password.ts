import type { changePasswordRequest, IssuedToken, Session } from '@millrace/accounts'
import { MillraceError } from '@millrace/event'
import type { z } from 'zod'
import type { Call, CommandPorts } from './command.ts'
import { ownAccount } from './own-account.ts'
import { writeIdentity } from './write-identity.ts'
import { type AccountWritten, writeToAccount } from './write-to-account.ts'

/**
 * Changes a password, for somebody who knows the present one. Sessions from before end; the answer opens a new one.
 *
 * @throws MillraceError `request.invalid` (the present password is wrong), `account.unknown`,
 *   `request.unauthorized`, `service.busy`
 */
export async function changePassword(
  ports: CommandPorts,
  call: Call,
  session: Session,
  body: z.output<typeof changePasswordRequest>,
): Promise<AccountWritten & IssuedToken> {
  const { accountId } = session
  const identity = writeIdentity(ports.idempotencySecret, {
    route: 'POST /users/:id/password',
    scope: accountId,
    idempotencyKey: call.idempotencyKey,
    body,
  })
  const written = await writeToAccount(ports, call, {
    ...identity,
    accountId,
    action: 'none',
    actor: accountId,
    decide: async (history) => {
      const { passwordHash } = ownAccount(history, session)
      if (!(await ports.passwords.verify(body.current, passwordHash, call.signal))) throw wrongPassword()
      return {
        type: 'PasswordChanged',
        data: { passwordHash: await ports.passwords.hash(body.next, call.signal) },
      }
    },
  })
  return { ...written, ...(await ports.sessions.issue({ accountId, passwordVersion: written.version })) }
}

function wrongPassword(): MillraceError {
  const message = 'is not correct'
  return new MillraceError('request.invalid', `current: ${message}`, {
    errors: [{ field: 'current', message }],
  })
}
