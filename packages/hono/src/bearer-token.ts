import { createHash, timingSafeEqual } from 'node:crypto'
import { MillraceError } from '@millrace/event'
import type { MiddlewareHandler } from 'hono'
import type { KitEnv } from './environment.ts'

/** Options of {@link bearerToken}. */
export interface BearerTokenOptions {
  /** Any of these is accepted; during a rotation there are two. Empty: everything is refused. */
  readonly tokens: readonly string[]
}

/**
 * Demands `Authorization: Bearer` with one of the tokens; answers 401 with `WWW-Authenticate` otherwise.
 * Takes the same time whatever is wrong with the token: digests are compared, all of them.
 */
export function bearerToken(options: BearerTokenOptions): MiddlewareHandler<KitEnv> {
  const digests = options.tokens.filter((token) => token !== '').map(digestOf)
  return async (c, next) => {
    const given = /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(c.req.header('authorization') ?? '')?.[1]
    const digest = digestOf(given ?? '')
    let matches = 0
    for (const known of digests) matches += timingSafeEqual(digest, known) ? 1 : 0
    if (given === undefined || matches === 0)
      throw new MillraceError(
        'request.unauthorized',
        given === undefined ? 'A bearer token is needed' : 'The bearer token is not valid',
      )
    await next()
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
