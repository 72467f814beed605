import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import type { KitEnv } from './environment.ts'
import { correlationHeader } from './request-context.ts'

/** Options of {@link allowedOrigins}. */
export interface AllowedOriginsOptions {
  /** Exact origins, such as `https://app.example.org`. Empty: no other origin may call. */
  readonly origins: readonly string[]
  /** Request headers beyond the usual ones. */
  readonly headers?: readonly string[]
  /** How long a browser may keep the answer to its preflight, in seconds. Default 600. */
  readonly maxAgeSeconds?: number
}

/** CORS by allow-list: other origins get no permission, and requests of the own origin are untouched. */
export function allowedOrigins(options: AllowedOriginsOptions): MiddlewareHandler<KitEnv> {
  const permit = cors({
    origin: [...options.origins],
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowHeaders: [
      'Content-Type',
      'Authorization',
      'Idempotency-Key',
      'If-Match',
      correlationHeader,
      'traceparent',
      ...(options.headers ?? []),
    ],
    exposeHeaders: [correlationHeader, 'Location', 'ETag', 'Retry-After'],
    maxAge: options.maxAgeSeconds ?? 600,
  })
  return async (c, next) => {
    // hono/cors prepares a response for every request; most have no Origin.
    if (c.req.header('origin') === undefined) return next()
    return permit(c, next)
  }
}
