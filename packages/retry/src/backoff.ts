/** Pauses that grow from failure to failure. Times in ms. */
export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
  /** By how much a pause is longer than the one before. Default 2. */
  readonly factor?: number
  /**
   * How much of a pause is chance, from 0 up to 1: members do not march in step, and what has failed together does
   * not come back together. Default 0.2: from 0.9 to 1.1 times the pause.
   */
  readonly jitter?: number
}

/**
 * The pause after so many failures (from 1), in whole ms: exponential, with jitter around it. What a failure asks for
 * itself (`Retry-After`) is the least then, and may be longer than `maxMs`, but not than {@link longestWishMs}.
 *
 * @param random From 0 up to 1.
 */
export function backoffMs(
  { firstMs, maxMs, factor = 2, jitter = 0.2 }: Backoff,
  failures: number,
  random = Math.random(),
  wishedMs = 0,
): number {
  // Beyond this exponent every pause is at its longest, and powers would no longer be finite.
  const grown = firstMs * factor ** Math.min(Math.max(failures, 1) - 1, 64)
  const plain = Math.min(grown, maxMs)
  return Math.round(Math.max(plain * (1 - jitter / 2 + random * jitter), Math.min(wishedMs, longestWishMs)))
}

/** The longest pause that a failure may wish for, in ms: a provider's mistake must not park a key for a year. */
export const longestWishMs = 24 * 60 * 60 * 1_000
