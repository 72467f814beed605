import type { Clock } from '@millrace/event'
import type { Timers } from '../lane/timers.ts'

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

  /** How many timers are set. */
  get pending(): number {
    return this.#alarms.size
  }

  set(afterMs: number, act: () => void): () => void {
    const alarm = { atMs: this.#nowMs + afterMs, act }
    this.#alarms.add(alarm)
    return () => void this.#alarms.delete(alarm)
  }

  /** Lets so many ms pass. */
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
