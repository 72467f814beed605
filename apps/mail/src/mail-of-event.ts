import type { AccountEvent } from '@millrace/accounts'
import type { EventLog, Position } from '@millrace/log'
import type { AccountMailRequest } from './account-mail.ts'
import { accountStory, cameByChange, isHeard, nameIn } from './account-story.ts'
import type { MailLinks } from './mail-links.ts'

/** Types of events that ask for a mail. */
export const mailedTypes = [
  'AccountCreated',
  'EmailChanged',
  'ActivationRequested',
  'SignUpAttempted',
] as const satisfies readonly AccountEvent['type'][]

/**
 * The mail that an event asks for; undefined for none. It goes to the address in the event, whatever became of the
 * account since: so a repeat is the same mail, and nobody's is left out. Whether its link still holds (another
 * address, a closed account) is judged when it is opened.
 */
export async function mailOfEvent(
  delivered: { readonly event: AccountEvent; readonly position: Position },
  log: Pick<EventLog, 'readKey'>,
  links: MailLinks,
): Promise<AccountMailRequest | undefined> {
  const { event, position } = delivered
  const confirm = () =>
    links.confirmation({ accountId: event.subject, eventId: event.id }, Date.parse(event.time))
  const story = () => accountStory(log, event.subject)
  const to = (email: string) => ({ eventId: event.id, correlationId: event.correlationid, to: email })
  switch (event.type) {
    case 'AccountCreated': {
      const { email, username: name } = event.data
      return { kind: 'activation', ...to(email), name, confirm: await confirm() }
    }
    case 'EmailChanged': {
      const { email } = event.data
      return { kind: 'address-change', ...to(email), name: nameIn(await story()), confirm: await confirm() }
    }
    case 'ActivationRequested': {
      const { email } = event.data
      const told = await story()
      const kind = cameByChange(told, email, position.seq) ? 'address-change' : 'activation'
      return { kind, ...to(email), name: nameIn(told), confirm: await confirm() }
    }
    case 'SignUpAttempted': {
      if (!isHeard(await story(), position.seq)) return undefined
      return { kind: 'sign-up-attempt', ...to(event.data.email), signInLink: links.signIn }
    }
    case 'AccountActivated':
    case 'PasswordChanged':
    case 'AccountClosed':
      return undefined
  }
}
