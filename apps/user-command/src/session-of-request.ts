import type { Session, SessionTokens } from '@millrace/accounts'
import { MillraceError } from '@millrace/event'
import type { KitEnv } from '@millrace/hono'
import { createMiddleware } from 'hono/factory'

/** What {@link ownSession} leaves for handlers: `c.get('session')`. */
export interface SessionEnv extends KitEnv {
  Variables: KitEnv['Variables'] & { session: Session }
}

/**
 * Demands the session of the account in the path. Another's account is answered like one that is not there.
 * Throws `request.unauthorized`, `account.unknown`.
 */
export function ownSession(sessions: SessionTokens) {
  return createMiddleware<SessionEnv, '/users/:id'>(async (c, next) => {
    const token = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(c.req.header('authorization') ?? '')?.[1]
    if (token === undefined) throw new MillraceError('request.unauthorized', 'A bearer token is needed')
    const session = await sessions.verify(token)
    if (session.accountId !== c.req.param('id')) throw new MillraceError('account.unknown')
    c.set('session', session)
    await next()
  })
}
