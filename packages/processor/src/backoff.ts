/** A pause that grows from failure to failure. Times in ms. */
export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

/**
 * The pause after so many failures (from 1): doubled each time, with a tenth of jitter so that members do not march in
 * step.
 *
 * @param random From 0 up to 1.
 */
export function backoffMs({ firstMs, maxMs }: Backoff, failures: number, random: number): number {
  const plain = Math.min(firstMs * 2 ** Math.min(failures - 1, 30), maxMs)
  return Math.round(plain * (0.9 + random * 0.2))
}
