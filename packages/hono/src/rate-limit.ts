import { MillraceError } from '@millrace/event'
import type { MiddlewareHandler } from 'hono'
import { addressOf, type KitContext, type KitEnv } from './environment.ts'
import { TokenBuckets, type TokenBucketsOptions } from './token-buckets.ts'

/** Options of {@link rateLimit}. */
export interface RateLimitOptions extends TokenBucketsOptions {
  /** Whose bucket pays. Default: the client's address. `undefined` lets the request pass free. */
  readonly key?: (c: KitContext) => string | undefined
}

/** Answers 429 with `Retry-After` to a client that asks too often. One instance keeps its own buckets. */
export function rateLimit(options: RateLimitOptions): MiddlewareHandler<KitEnv> {
  const buckets = new TokenBuckets(options)
  const keyOf = options.key ?? addressOf
  return async (c, next) => {
    const key = keyOf(c)
    const waitMs = key === undefined ? 0 : buckets.take(key)
    if (waitMs > 0) {
      const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1_000))
      throw new MillraceError('request.limited', `Too many requests; repeat in ${retryAfterSeconds} s`, {
        details: { retryAfterSeconds },
      })
    }
    await next()
  }
}
