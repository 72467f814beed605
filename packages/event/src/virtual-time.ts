import type { Clock } from './clock.ts'
import type { Timers } from './timers.ts'

interface Alarm {
  readonly atMs: number
  readonly act: () => void
}

/** Time that passes when a test says so. Timers fire in the order of their times, then in that of their setting. */
export class VirtualTime implements Clock, Timers {
  #nowMs: number
  readonly #alarms = new Set<Alarm>()

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  /** When the earliest timer is due, in ms since the epoch. */
  get nextMs(): number | undefined {
    let next: number | undefined
    for (const { atMs } of this.#alarms) if (next === undefined || atMs < next) next = atMs
    return next
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#alarms.size
  }

  set(afterMs: number, act: () => void): () => void {
    const alarm = { atMs: this.#nowMs + afterMs, act }
    this.#alarms.add(alarm)
    return () => void this.#alarms.delete(alarm)
  }

  /**
   * Lets so many ms pass, and after each timer what that has begun: promises are given as many turns of the event loop
   * as `turns`.
   */
  async pass(ms: number, turns = 1): Promise<void> {
    const untilMs = this.#nowMs + ms
    await turn(turns)
    for (let next = this.nextMs; next !== undefined && next <= untilMs; next = this.nextMs) {
      this.advance(Math.max(0, next - this.#nowMs))
      await turn(turns)
    }
    this.advance(untilMs - this.#nowMs)
  }

  /** Lets so many ms pass at once. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (;;) {
      let next: Alarm | undefined
      for (const alarm of this.#alarms)
        if (alarm.atMs <= untilMs && (next === undefined || alarm.atMs < next.atMs)) next = alarm
      if (next === undefined) break
      this.#alarms.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.act()
    }
    this.#nowMs = untilMs
  }
}

async function turn(count: number): Promise<void> {
  for (let at = 0; at < count; at++) await new Promise((resolve) => setImmediate(resolve))
}
