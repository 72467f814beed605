import { mailError } from '../mail-failure.ts'
import type { MailDelivery } from '../mail-delivery.ts'
import type { Mail, MailSender, SendReceipt } from '../mail-sender.ts'

/** The failures that a sender reports, one of each kind. */
export const mailFailures = {
  away: () => mailError('mail.temporary', { scope: 'provider', step: 'connect', reason: 'ECONNREFUSED' }),
  putOff: () => mailError('mail.temporary', { scope: 'message', step: 'recipient', reason: '451' }),
  refused: () => mailError('mail.refused', { scope: 'message', step: 'recipient', reason: '550' }),
  unknown: () => mailError('mail.unknown', { scope: 'provider', step: 'answer', reason: 'ECONNRESET' }),
  givenUp: () => mailError('mail.temporary', { scope: 'local', step: 'queue', reason: 'aborted' }),
} as const

/** A sender that does what the test says for each mail, and notes who was tried. */
export function scriptedSender(answer: (mail: Mail, tries: readonly string[]) => Promise<void> | void) {
  const tries: string[] = []
  const sender: MailSender = {
    deduplicates: false,
    async send(mail): Promise<SendReceipt> {
      tries.push(mail.to)
      await answer(mail, tries)
      return { messageId: mail.messageId, answer: 'ok' }
    },
    stop: () => Promise.resolve(),
  }
  return { sender, tries }
}

/** Resolves when the delivery reaches the state. */
export function reached(delivery: MailDelivery, wanted: string): Promise<void> {
  if (delivery.state === wanted) return Promise.resolve()
  return new Promise((resolve) => {
    const forget = delivery.onStateChange((state) => {
      if (state !== wanted) return
      forget()
      resolve()
    })
  })
}

/** A mail about nothing. */
export function plainMail(to: string): Mail {
  return { to, subject: 's', text: 't', html: '<p>h</p>', messageId: `<${to}>`, headers: {} }
}
