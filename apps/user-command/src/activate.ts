import { freshId, MillraceError } from '@millrace/event'
import type { Position } from '@millrace/log'
import { type AccountHistory, readAccount } from './account-history.ts'
import { type Call, type CommandPorts, isLive } from './command.ts'
import { writeToAccount } from './write-to-account.ts'

/**
 * Confirms the address that a mailed link was sent to. Using a link again is harmless.
 *
 * @throws MillraceError `link.expired` (too old, the address was changed meanwhile, or the account is closed),
 *   `request.invalid` (not a link of ours)
 */
export async function activate(
  ports: CommandPorts,
  call: Call,
  token: string,
): Promise<{ readonly id: string; readonly position: Position; readonly already: boolean }> {
  const { accountId, eventId } = await ports.links.verify(token)
  // A new id each time: the same link may confirm the address again after a change there and back.
  const written = await writeToAccount(ports, call, {
    accountId,
    eventId: freshId(),
    action: 'none',
    decide: (history) => {
      const email = linkedAddress(history, eventId)
      return history.account?.state === 'active' ? undefined : { type: 'AccountActivated', data: { email } }
    },
  })
  if (written.status !== 'unchanged') return { id: accountId, position: written.position, already: false }
  const position = (await lastActivation(ports, accountId)) ?? written.position
  return { id: accountId, position, already: true }
}

/** The address that a link stands for, if it is still that of the account. */
function linkedAddress({ account, events }: AccountHistory, eventId: string): string {
  const source = events.find(({ event }) => event.id === eventId)?.event.data
  if (!isLive(account)) throw new MillraceError('link.expired', 'The account is closed')
  const linked = typeof source === 'object' && source !== null && 'email' in source ? source.email : undefined
  if (linked !== account.email)
    throw new MillraceError('link.expired', 'The address of the account was changed after this mail')
  return account.email
}

async function lastActivation(ports: CommandPorts, accountId: string): Promise<Position | undefined> {
  const { events } = await readAccount(ports.log, accountId)
  return events.findLast(({ event }) => event.type === 'AccountActivated')?.position
}
