/** Time that passes within a process, so that tests and the simulation can turn it. */
export interface Timers {
  /** Calls `act` once, after so many ms. The answer cancels that. */
  set(afterMs: number, act: () => void): () => void
}

/** The machine's timers. */
export const systemTimers: Timers = {
  set(afterMs, act) {
    const timer = setTimeout(act, afterMs)
    return () => clearTimeout(timer)
  },
}

/** The machine's time since some fixed moment, in ms: it never goes back. */
export function systemElapsedMs(): number {
  return performance.now()
}
