import { type Clock, MillraceError, systemClock } from '@millrace/event'
import { headerOf, type KitContext, type KitEnv } from '@millrace/hono'
import type { MiddlewareHandler } from 'hono'
import { type Role, Sessions, type Tokens } from './session.ts'

/** Who may use an interface that knows no sessions: whoever sends a token of the console with each request. */
export interface TokenAccess {
  /** Refuses whoever sends none. */
  readonly guard: MiddlewareHandler<KitEnv>
  /** Who repairs, for the audit log: the role, and the name that the request gives itself in `X-Actor`. Throws for viewers. */
  actorOf(c: KitContext): string
}

/** Access by the tokens of the console. No cookie opens it, so no other site can bring anything about. */
export function tokenAccess(tokens: Tokens, clock: Clock = systemClock): TokenAccess {
  const sessions = new Sessions(tokens, clock)
  const roleOf = (c: KitContext): Role | undefined => {
    const token = /^Bearer +(\S+) *$/i.exec(headerOf(c, 'authorization') ?? '')?.[1]
    return token === undefined ? undefined : sessions.roleOf(token)
  }
  return {
    guard: (c, next) => {
      if (roleOf(c) === undefined)
        throw new MillraceError('request.unauthorized', 'Send a token of the console')
      return next()
    },
    actorOf: (c) => {
      if (roleOf(c) !== 'operator') throw new MillraceError('request.forbidden', 'Viewers change nothing')
      const name = headerOf(c, 'x-actor')
      if (name === undefined) return 'operator'
      if (!/^[ -~]{1,100}$/.test(name))
        throw new MillraceError('request.invalid', 'X-Actor is 1 to 100 printable characters')
      return `operator ${name}`
    },
  }
}
