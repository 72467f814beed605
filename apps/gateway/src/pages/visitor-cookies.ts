import type { KitContext } from '@millrace/hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import type { CookieOptions } from 'hono/utils/cookie'

/** Who is signed in on this browser. */
export interface Session {
  readonly accountId: string
  /** The session token of user-command. */
  readonly token: string
  /** Position of the visitor's last write: pages read from there on, so that he sees it. */
  readonly after?: string | undefined
  /** ISO 8601. */
  readonly expiresAt: string
}

/** Keeps what the pages know of a visitor, in his own browser: nothing that scripts or other sites can read. */
export class VisitorCookies {
  readonly #secure: boolean
  readonly #session: string
  readonly #address: string

  /** `secure`: the pages are reached by https; the session's cookie is then bound to this host. */
  constructor(secure: boolean) {
    this.#secure = secure
    this.#session = secure ? '__Host-session' : 'millrace-session'
    this.#address = secure ? '__Host-sent-to' : 'millrace-sent-to'
  }

  session(c: KitContext): Session | undefined {
    const [accountId = '', token = '', expiresAt = '', after = ''] = (
      getCookie(c, this.#session) ?? ''
    ).split(' ')
    if (!/^[\w-]{8,64}$/.test(accountId) || !/^[\w.-]{8,2048}$/.test(token)) return undefined
    return { accountId, token, expiresAt, after: after === '' ? undefined : after }
  }

  keepSession(c: KitContext, session: Session): void {
    const { accountId, token, expiresAt, after } = session
    const expires = new Date(expiresAt)
    setCookie(c, this.#session, [accountId, token, expiresAt, after ?? ''].join(' '), {
      ...this.#options(),
      // The token says itself when it ends; the cookie only has to go with it.
      ...(Number.isNaN(expires.getTime()) ? {} : { expires }),
    })
  }

  endSession(c: KitContext): void {
    deleteCookie(c, this.#session, this.#options())
  }

  /** The address that the last mail went to. */
  address(c: KitContext): string | undefined {
    const found = getCookie(c, this.#address)
    return found === undefined || found === '' || found.length > 320 ? undefined : found
  }

  keepAddress(c: KitContext, address: string): void {
    setCookie(c, this.#address, address.slice(0, 320), { ...this.#options(), maxAge: 3_600 })
  }

  forgetAddress(c: KitContext): void {
    deleteCookie(c, this.#address, this.#options())
  }

  #options(): CookieOptions {
    return { httpOnly: true, sameSite: 'Strict', secure: this.#secure, path: '/' }
  }
}
