import type { Account, Session } from '@millrace/accounts'
import { MillraceError } from '@millrace/event'
import type { AccountHistory } from './account-history.ts'
import { isLive } from './command.ts'

/**
 * The live account of a session.
 *
 * @throws MillraceError `account.unknown` when it is closed or never was; `request.unauthorized` when the
 *   session is of a password that was changed since
 */
export function ownAccount({ account }: AccountHistory, session: Session): Account {
  if (!isLive(account)) throw new MillraceError('account.unknown')
  if (session.passwordVersion !== account.passwordVersion)
    throw new MillraceError('request.unauthorized', 'The password was changed; sign in again')
  return account
}
