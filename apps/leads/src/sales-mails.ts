import { derivedId } from '@millrace/event'
import { type Mail, messageIdOf } from '@millrace/smtp'

/** On whose behalf mails are sent. */
export interface MailSettings {
  readonly product: { readonly name: string; readonly url: string }
  /** The right side of every Message-ID; must stay the same for good. */
  readonly messageIdHost: string
}

/** A mail to a buyer. */
export type BuyerMail =
  | { readonly kind: 'quotes' }
  | { readonly kind: 'accepted'; readonly offer: string; readonly acceptance: number; readonly car: string }

/** What stands for a mail: the same for every repeat of it. */
export function mailIdOf(buyer: string, mail: BuyerMail): string {
  return mail.kind === 'quotes'
    ? derivedId('mail', 'quotes', buyer)
    : derivedId('mail', 'accepted', buyer, mail.offer, String(mail.acceptance))
}

/** Makes a mail. The same one always comes out the same, to the last character: providers compare a repeat. */
export function buyerMail(
  to: { readonly buyer: string; readonly address: string; readonly correlationId: string },
  mail: BuyerMail,
  { product, messageIdHost }: MailSettings,
): Mail {
  const { subject, lines } = wordsOf(mail, product.name)
  return {
    to: to.address,
    subject,
    text: `${['Hello,', ...lines, `-- \n${product.name}\n${product.url}`].join('\n\n')}\n`,
    html: `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(subject)}</title></head><body>${[
      'Hello,',
      ...lines,
      product.name,
    ]
      .map((line) => `<p>${escaped(line)}</p>`)
      .join('')}</body></html>`,
    messageId: messageIdOf(mailIdOf(to.buyer, mail), messageIdHost),
    // RFC 3834: no out-of-office answers to a machine.
    headers: { 'X-Correlation-Id': to.correlationId, 'Auto-Submitted': 'auto-generated' },
  }
}

function wordsOf(
  mail: BuyerMail,
  product: string,
): { readonly subject: string; readonly lines: readonly string[] } {
  if (mail.kind === 'quotes')
    return {
      subject: `Insurance for your next car, from ${product}`,
      lines: [
        'You have made an offer on a car. For each car that you offer for, we have a quote for its insurance ready.',
        'Answer this mail to have them sent to you. We write only once, however many offers you make.',
      ],
    }
  return {
    subject: `Your offer was accepted`,
    lines: [`Your offer on this car was accepted: ${mail.car}`, 'We shall call you about its insurance.'],
  }
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escaped(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? '')
}
