import type { Timers } from '../lane/timers.ts'

/** Waits so long, or until the signal; never rejects. */
export function sleep(timers: Timers, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const done = () => {
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancel = timers.set(ms, done)
    signal.addEventListener('abort', done)
  })
}
