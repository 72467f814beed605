/** Time that passes when a test says so: clock and timers in one. */
export class TurnedTime {
  #nowMs = 1_700_000_000_000
  readonly #alarms = new Set<{ readonly atMs: number; readonly act: () => void }>()

  now(): number {
    return this.#nowMs
  }

  get pending(): number {
    return this.#alarms.size
  }

  set(afterMs: number, act: () => void): () => void {
    const alarm = { atMs: this.#nowMs + afterMs, act }
    this.#alarms.add(alarm)
    return () => void this.#alarms.delete(alarm)
  }

  /** Lets so many ms pass; what the alarms begin may go on in between. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    for (;;) {
      const [next] = [...this.#alarms]
        .filter(({ atMs }) => atMs <= untilMs)
        .toSorted((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#alarms.delete(next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.act()
      await turn()
    }
    this.#nowMs = untilMs
    await turn()
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
