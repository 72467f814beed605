import { headerOf, type KitContext } from '@millrace/hono'
import { getCookie, setCookie } from 'hono/cookie'
import type { Role, Sessions } from './session.ts'

const cookieName = 'millrace-explain'
const path = '/explain'

/**
 * Who asks for a story: by the token, or by the cookie of a login. The cookie is one of its own, sent to these pages alone:
 * links of dashboards lead here from other addresses, which the cookie of the board does not allow. Nothing is changed
 * here, so there is nothing that another site could bring about.
 */
export function explainRoleOf(c: KitContext, sessions: Sessions): Role | undefined {
  const token = /^Bearer +(\S+) *$/i.exec(headerOf(c, 'authorization') ?? '')?.[1]
  return token === undefined ? sessions.read(getCookie(c, cookieName)) : sessions.roleOf(token)
}

/** Keeps a session for these pages; for 0 s: ends it. */
export function keepExplaining(c: KitContext, session: string, maxAge: number): void {
  setCookie(c, cookieName, session, {
    path,
    httpOnly: true,
    sameSite: 'Lax',
    secure: new URL(c.req.url).protocol === 'https:',
    maxAge,
  })
}

/** The page that a login is to lead to, if it is one of these: never another site, and nothing that a page would misread. */
export function wantedPage(c: KitContext): string | undefined {
  const to = c.req.query('to')
  return to !== undefined && /^\/explain(?:\/[\w.:%~/-]{0,800})?$/.test(to) ? to : undefined
}
