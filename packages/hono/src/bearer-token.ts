import { timingSafeEqual } from 'node:crypto'
import { MillraceError } from '@millrace/event'
import type { MiddlewareHandler } from 'hono'
import { headerOf, type KitContext, type KitEnv } from './environment.ts'
import { descriptionPaths } from './open-api.ts'

/** Options of {@link bearerToken}. */
export interface BearerTokenOptions {
  /** Any of these is accepted; during a rotation there are two. Empty: everything is refused. */
  readonly tokens: readonly string[]
}

/**
 * Demands `Authorization: Bearer` with one of the tokens; answers 401 with `WWW-Authenticate` otherwise.
 *
 * All are compared, each in a time that does not depend on what is in it; that a length differs may be seen.
 */
export function bearerToken(options: BearerTokenOptions): MiddlewareHandler<KitEnv> {
  const faultOf = authorizationFault(options)
  return (c, next) => {
    const fault = faultOf(headerOf(c, 'authorization'))
    if (fault) throw fault
    return next()
  }
}

/**
 * Why a request is refused, as {@link bearerToken} does; for the `refuse` of an app all of whose paths want a token, but
 * for the description of the app itself.
 */
export function tokenFault(options: BearerTokenOptions): (c: KitContext) => MillraceError | undefined {
  const faultOf = authorizationFault(options)
  return (c) =>
    c.req.method === 'GET' && descriptionPaths.includes(c.req.path)
      ? undefined
      : faultOf(headerOf(c, 'authorization'))
}

/** The same of the header alone. */
export function authorizationFault(
  options: BearerTokenOptions,
): (authorization: string | undefined) => MillraceError | undefined {
  const known = options.tokens.filter((token) => token !== '').map((token) => Buffer.from(token))
  return (authorization) => {
    const given = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(authorization ?? '')?.[1]
    const bytes = Buffer.from(given ?? '')
    let matches = 0
    for (const token of known)
      matches += bytes.length === token.length && timingSafeEqual(bytes, token) ? 1 : 0
    if (matches > 0) return undefined
    return new MillraceError(
      'request.unauthorized',
      given === undefined ? 'A bearer token is needed' : 'The bearer token is not valid',
    )
  }
}
