import { createHmac } from 'node:crypto'
import { MillraceError } from '@millrace/event'
import { TokenBuckets, type TokenBucketsOptions } from '@millrace/hono'
import { normaliserAt, normalisers } from '@millrace/uniq'

/** Limits how often something may be asked for by one address or account. */
export class AskLimit {
  readonly #buckets: TokenBuckets
  readonly #secret: Uint8Array

  constructor(options: TokenBucketsOptions, secret: Uint8Array) {
    this.#buckets = new TokenBuckets(options)
    this.#secret = secret
  }

  /** @throws MillraceError `request.limited` */
  takeFor(accountId: string): void {
    const waitMs = this.#buckets.take(accountId)
    if (waitMs === 0) return
    const retryAfterSeconds = Math.ceil(waitMs / 1_000)
    throw new MillraceError('request.limited', `Too many requests; repeat in ${retryAfterSeconds} s`, {
      details: { retryAfterSeconds },
    })
  }

  /** The same for an address, in whatever letters; memory holds digests of them only. */
  takeForAddress(email: string): void {
    const normal = normaliserAt(normalisers, 'email', 1)(email)
    this.takeFor(createHmac('sha256', this.#secret).update(normal).digest('base64url'))
  }
}
