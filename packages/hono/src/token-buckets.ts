import { type Clock, systemClock } from '@millrace/event'

/** How much a key may do. */
export interface TokenBucketsOptions {
  /** Requests at once. */
  readonly burst: number
  /** Requests a second in the long run. */
  readonly perSecond: number
  /** Buckets kept at most; what comes beyond shares one. Default 10,000 (about 1 MB). */
  readonly maxKeys?: number
  readonly clock?: Clock
}

interface Bucket {
  tokens: number
  atMs: number
}

/**
 * Token buckets by key in bounded memory. A full bucket is not kept: it is what a new one would be. When too
 * many keys are busy at once, the newcomers share one bucket, so that nobody frees his own by naming others.
 */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>()
  readonly #shared: Bucket
  readonly #burst: number
  readonly #perMs: number
  readonly #maxKeys: number
  readonly #clock: Clock
  #sweptAtMs = 0

  constructor(options: TokenBucketsOptions) {
    if (!(options.burst >= 1) || !(options.perSecond > 0))
      throw new TypeError('A token bucket needs burst >= 1 and perSecond > 0')
    this.#burst = options.burst
    this.#perMs = options.perSecond / 1_000
    this.#maxKeys = options.maxKeys ?? 10_000
    this.#clock = options.clock ?? systemClock
    this.#shared = { tokens: options.burst, atMs: this.#clock.now() }
  }

  /** Takes a token; answers 0, or the milliseconds until there is one. */
  take(key: string): number {
    const now = this.#clock.now()
    const bucket = this.#bucketOf(key, now)
    bucket.tokens = Math.min(this.#burst, bucket.tokens + Math.max(0, now - bucket.atMs) * this.#perMs)
    bucket.atMs = now
    if (bucket.tokens < 1) return (1 - bucket.tokens) / this.#perMs
    bucket.tokens -= 1
    return 0
  }

  /** Buckets in memory. */
  get size(): number {
    return this.#buckets.size
  }

  #bucketOf(key: string, now: number): Bucket {
    const known = this.#buckets.get(key)
    if (known) return known
    if (this.#buckets.size >= this.#maxKeys) this.#sweep(now)
    if (this.#buckets.size >= this.#maxKeys) return this.#shared
    const fresh = { tokens: this.#burst, atMs: now }
    this.#buckets.set(key, fresh)
    return fresh
  }

  // At most once a second: a sweep looks at every bucket, and a flood must not pay for one a request.
  #sweep(now: number): void {
    if (now - this.#sweptAtMs < 1_000) return
    this.#sweptAtMs = now
    for (const [key, bucket] of this.#buckets)
      if (bucket.tokens + (now - bucket.atMs) * this.#perMs >= this.#burst) this.#buckets.delete(key)
  }
}
