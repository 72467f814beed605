import { hash, randomBytes } from 'node:crypto'
import { MillraceError } from '@millrace/event'
import type { MiddlewareHandler } from 'hono'
import { headerOf, type KitContext, type KitEnv } from './environment.ts'

/** Options of {@link bearerToken}. */
export interface BearerTokenOptions {
  /** Any of these is accepted; during a rotation there are two. Empty: everything is refused. */
  readonly tokens: readonly string[]
}

/**
 * Demands `Authorization: Bearer` with one of the tokens; answers 401 with `WWW-Authenticate` otherwise.
 *
 * Digests are compared, all of them, under a salt of this process: nobody can choose a token whose digest begins
 * like another's, so the time that a comparison takes tells nothing.
 */
export function bearerToken(options: BearerTokenOptions): MiddlewareHandler<KitEnv> {
  const faultOf = tokenFault(options)
  return (c, next) => {
    const fault = faultOf(c)
    if (fault) throw fault
    return next()
  }
}

/** Why a request is refused, as {@link bearerToken} does; for the `refuse` of an app all of whose paths want a token. */
export function tokenFault(options: BearerTokenOptions): (c: KitContext) => MillraceError | undefined {
  const salt = randomBytes(32).toString('base64')
  // In one call: an object for each hash costs ten times as much.
  const digestOf = (token: string): string => hash('sha256', salt + token, 'base64')
  const digests = options.tokens.filter((token) => token !== '').map(digestOf)
  return (c) => {
    const given = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(headerOf(c, 'authorization') ?? '')?.[1]
    const digest = digestOf(given ?? '')
    let matches = 0
    for (const known of digests) matches += digest === known ? 1 : 0
    if (given !== undefined && matches > 0) return undefined
    return new MillraceError(
      'request.unauthorized',
      given === undefined ? 'A bearer token is needed' : 'The bearer token is not valid',
    )
  }
}
