import { type MailSender, messageIdOf } from '@millrace/smtp'
import type { SupplierMail } from './carry-out-saga.ts'
import type { SuggestionFacts } from './suggestion.ts'

/** Options of {@link supplierMail}. */
export interface SupplierMailOptions {
  readonly sender: Pick<MailSender, 'send'>
  /** Host of the Message-IDs: a name of ours that stays. */
  readonly messageIdHost: string
  /** Who writes, for the signature. */
  readonly from: string
}

/** Tells a supplier by mail what has become of an order. The same click always makes the same mail. */
export function supplierMail({ sender, messageIdHost, from }: SupplierMailOptions): SupplierMail {
  return {
    send: async (supplier, suggestion, { idempotencyKey, correlationId, signal }) => {
      const text = `Dear ${supplier.name},\n\n${wish(suggestion)}\n\nKind regards\n${from}\n`
      await sender.send(
        {
          to: supplier.email,
          subject: `Purchase order ${suggestion.order}: ${subjects[suggestion.kind]}`,
          text,
          html: text
            .split('\n\n')
            .map((part) => `<p>${escaped(part).replaceAll('\n', '<br>')}</p>`)
            .join('\n'),
          messageId: messageIdOf(idempotencyKey, messageIdHost),
          headers: { 'X-Correlation-Id': correlationId },
        },
        { idempotencyKey, signal },
      )
    },
  }
}

const subjects = {
  cancel: 'a line is cancelled',
  postpone: 'please deliver later',
  'bring-forward': 'please deliver sooner',
} as const

function wish({
  kind,
  order,
  line,
  product,
  productName,
  quantity,
  dueOn,
  proposedDueOn,
}: SuggestionFacts): string {
  const what = `line ${line} of our purchase order ${order} (${quantity} × ${productName}, ${product})`
  if (kind === 'cancel') return `please take ${what} as cancelled.`
  return `please deliver ${what} on ${proposedDueOn} instead of ${dueOn}.`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
