/** A pause that grows from failure to failure. Times in ms. */
export interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

/** The pause after so many failures (from 1): doubled each time, with a tenth of jitter so that members do not march in step. */
export function backoffMs({ firstMs, maxMs }: Backoff, failures: number, random = Math.random()): number {
  const plain = Math.min(firstMs * 2 ** Math.min(failures - 1, 30), maxMs)
  return Math.round(plain * (0.9 + random * 0.2))
}

/** Waits so long, or until the signal; never rejects. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve()
      return
    }
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done)
  })
}
