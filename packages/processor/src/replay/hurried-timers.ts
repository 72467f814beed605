import type { Timers } from '../lane/timers.ts'

const mostMs = 5

/**
 * Timers of a replay's lanes: what has been, waits for nothing. A held operator lets go after 5 ms at most; the state
 * does not depend on it, as it is folded in the order of the events.
 */
export function hurried(timers: Timers): Timers {
  return { set: (afterMs, act) => timers.set(Math.min(afterMs, mostMs), act) }
}
