import { type ActivationLink, createActivationLinks } from '@millrace/accounts'
import type { ExpiringLink } from './account-letters.ts'

/** Where the links in mails lead. */
export interface MailLinks {
  /**
   * The page that confirms an address. The same link and time always give the same address: a mail that is sent
   * again must be the same mail.
   */
  confirmation(link: ActivationLink, issuedAtMs: number): Promise<ExpiringLink>
  /** The page to sign in. */
  readonly signIn: string
}

/** Options of {@link accountLinks}. */
export interface AccountLinksOptions {
  /** The secret of the purpose `link`, at least 32 bytes; user-command reads the tokens with the same. */
  readonly key: Uint8Array
  /** Where the gateway is reached from outside. */
  readonly publicUrl: string
  /** Default 48 hours, from the event on. */
  readonly lifetimeMs?: number
}

/** Makes links to the gateway's pages. */
export function accountLinks(options: AccountLinksOptions): MailLinks {
  const { key, publicUrl, lifetimeMs } = options
  return {
    signIn: new URL('/sign-in', publicUrl).href,
    confirmation: async (link, issuedAtMs) => {
      // The time of the event is the token's time: a clock would make another token of each repeat.
      const links = createActivationLinks({
        key,
        clock: { now: () => issuedAtMs },
        ...(lifetimeMs === undefined ? {} : { lifetimeMs }),
      })
      const { token, expiresAt } = await links.issue(link)
      const url = new URL('/activate', publicUrl)
      url.searchParams.set('token', token)
      return { link: url.href, issuedAtMs, expiresAtMs: Date.parse(expiresAt) }
    },
  }
}
