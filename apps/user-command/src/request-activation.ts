import { type Account, linkMailWaitMs, type Session } from '@millrace/accounts'
import { freshId, MillraceError } from '@millrace/event'
import { type Call, type CommandPorts, isLive } from './command.ts'
import { ownAccount } from './own-account.ts'
import { writeIdentity } from './write-identity.ts'
import { type AccountDraft, type AccountWritten, writeToAccount } from './write-to-account.ts'

/**
 * Asks for the link to confirm the address once more. Writes nothing when the address is confirmed.
 *
 * @throws MillraceError `request.limited`, `account.unknown`, `request.unauthorized`
 */
export function requestActivation(
  ports: CommandPorts,
  call: Call,
  session: Session,
): Promise<AccountWritten> {
  const identity = writeIdentity(ports.idempotencySecret, {
    route: 'POST /users/:id/activation',
    scope: session.accountId,
    idempotencyKey: call.idempotencyKey,
    body: {},
  })
  return writeToAccount(ports, call, {
    ...identity,
    accountId: session.accountId,
    action: 'none',
    actor: session.accountId,
    decide: (history) => {
      const account = ownAccount(history, session)
      if (account.state === 'active') return undefined
      const waitMs = linkMailWaitMs(account, ports.clock.now(), ports.linkMails)
      if (waitMs === 0) return linkRequested(account)
      const retryAfterSeconds = Math.ceil(waitMs / 1_000)
      throw new MillraceError(
        'request.limited',
        `A mail was sent already; ask again in ${retryAfterSeconds} s`,
        {
          details: { retryAfterSeconds },
        },
      )
    },
  })
}

/**
 * The same for somebody who is not signed in. Says nothing about the address: no account, a confirmed address and
 * too many mails all look like success.
 */
export async function requestActivationFor(ports: CommandPorts, call: Call, email: string): Promise<void> {
  const owner = await ports.uniq.ownerOf('email', [email])
  try {
    await writeToAccount(ports, call, {
      // Without an owner there is a history to read as well: of nobody.
      accountId: owner ?? freshId(),
      eventId: freshId(),
      action: 'none',
      decide: ({ account }) => {
        if (!isLive(account)) throw new MillraceError('account.unknown')
        const due =
          account.state === 'pending' && linkMailWaitMs(account, ports.clock.now(), ports.linkMails) === 0
        return due ? linkRequested(account) : undefined
      },
    })
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code !== 'account.unknown') throw error
  }
}

function linkRequested({ email }: Account): AccountDraft {
  return { type: 'ActivationRequested', data: { email } }
}
