import { expirySentence } from './expiry.ts'
import type { Letter } from './letter.ts'

/** A link with its time, both from the event. Times in milliseconds since the epoch. */
export interface ExpiringLink {
  readonly link: string
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

/** To somebody who has just signed up. */
export function activationLetter(product: string, name: string, confirm: ExpiringLink): Letter {
  return {
    subject: `Please confirm your address for ${product}`,
    name,
    paragraphs: [`Welcome to ${product}! One step is left: please confirm that this address is yours.`],
    action: {
      label: 'Confirm my address',
      link: confirm.link,
      expiry: expirySentence(confirm.issuedAtMs, confirm.expiresAtMs),
    },
    notYou:
      'If you did not sign up, just ignore this mail: somebody has probably mistyped an address. ' +
      'Please do not open the link then.',
  }
}

/** To the new address of an account. */
export function addressChangeLetter(product: string, name: string, confirm: ExpiringLink): Letter {
  return {
    subject: `Please confirm your new address for ${product}`,
    name,
    paragraphs: [
      `You have changed the e-mail address of your ${product} account to this one. ` +
        'Please confirm that it is yours.',
    ],
    action: {
      label: 'Confirm my new address',
      link: confirm.link,
      expiry: expirySentence(confirm.issuedAtMs, confirm.expiresAtMs),
    },
    notYou:
      'If you did not change anything, just ignore this mail: somebody has probably mistyped an address. ' +
      'Please do not open the link then.',
  }
}

/**
 * To the owner of an address that somebody tried to sign up with again. It carries nothing that the somebody
 * has typed: he may not be the owner.
 */
export function signUpAttemptLetter(product: string, signInLink: string): Letter {
  return {
    subject: `You already have an account at ${product}`,
    paragraphs: [
      `Somebody, perhaps you, has just tried to sign up for ${product} with this address.`,
      'You already have an account, so no second one was made and nothing has changed. ' +
        'If it was you, simply sign in.',
    ],
    action: { label: 'Sign in', link: signInLink },
    notYou:
      'If it was not you, there is nothing to do: your account is as it was, and whoever tried was not told ' +
      'that it exists.',
  }
}
