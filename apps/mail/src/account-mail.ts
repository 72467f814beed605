import { type Mail, messageIdOf } from '@millrace/smtp'
import {
  activationLetter,
  addressChangeLetter,
  type ExpiringLink,
  signUpAttemptLetter,
} from './account-letters.ts'
import type { Letter, Product } from './letter.ts'
import { letterHtml } from './letter-html.ts'
import { letterText } from './letter-text.ts'

/** What every account mail comes from. */
interface Cause {
  /** The event that causes the mail: gives Message-ID and idempotency key. */
  readonly eventId: string
  readonly correlationId: string
  /** The address that the mail goes to. */
  readonly to: string
}

/** A mail that an event of the accounts asks for. */
export type AccountMailRequest =
  | (Cause & { readonly kind: 'activation'; readonly name: string; readonly confirm: ExpiringLink })
  | (Cause & { readonly kind: 'address-change'; readonly name: string; readonly confirm: ExpiringLink })
  | (Cause & { readonly kind: 'sign-up-attempt'; readonly signInLink: string })

export interface AccountMailSettings {
  readonly product: Product
  /** The right side of every Message-ID; must stay the same for good. */
  readonly messageIdHost: string
}

/**
 * The mail for an event. The same request always gives the same mail, to the last character: providers
 * compare a repeat with what they have.
 */
export function accountMail(
  request: AccountMailRequest,
  { product, messageIdHost }: AccountMailSettings,
): Mail {
  const letter = letterFor(request, product.name)
  return {
    to: request.to,
    subject: letter.subject,
    text: letterText(letter, product),
    html: letterHtml(letter, product),
    messageId: messageIdOf(request.eventId, messageIdHost),
    headers: {
      'X-Correlation-Id': request.correlationId,
      // RFC 3834: no out-of-office answers to a machine.
      'Auto-Submitted': 'auto-generated',
    },
  }
}

function letterFor(request: AccountMailRequest, product: string): Letter {
  switch (request.kind) {
    case 'activation':
      return activationLetter(product, request.name, request.confirm)
    case 'address-change':
      return addressChangeLetter(product, request.name, request.confirm)
    case 'sign-up-attempt':
      return signUpAttemptLetter(product, request.signInLink)
  }
}
