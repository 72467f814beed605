import type { signInRequest } from '@millrace/accounts'
import { freshId, MillraceError } from '@millrace/event'
import type { z } from 'zod'
import { readAccount } from './account-history.ts'
import { type Call, type CommandPorts, isLive } from './command.ts'

/** A session that was opened. */
export interface SignedIn {
  readonly token: string
  readonly expiresAt: string
  readonly account: { readonly id: string; readonly activated: boolean }
}

/**
 * Opens a session. Unknown address and wrong password take the same steps, one hash each, and end alike.
 *
 * @throws MillraceError `session.refused`
 */
export async function signIn(
  ports: CommandPorts,
  call: Call,
  { email, password }: z.output<typeof signInRequest>,
): Promise<SignedIn> {
  const owner = await ports.uniq.ownerOf('email', [email])
  // Without an owner there is a history to read as well: of nobody.
  const { account } = await readAccount(ports.log, owner ?? freshId())
  const live = isLive(account) ? account : undefined
  const matches = await ports.passwords.verify(password, live?.passwordHash, call.signal)
  if (!live || !matches) throw new MillraceError('session.refused')
  const issued = await ports.sessions.issue({ accountId: live.id, passwordVersion: live.passwordVersion })
  return { ...issued, account: { id: live.id, activated: live.state === 'active' } }
}
