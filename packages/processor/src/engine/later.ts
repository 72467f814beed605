import type { Timers } from '../lane/timers.ts'

/** Acts that are due later, and are given up together. */
export class Later {
  readonly #timers: Timers
  readonly #cancels = new Set<() => void>()
  #ended = false

  constructor(timers: Timers) {
    this.#timers = timers
  }

  after(delayMs: number, act: () => void): void {
    if (this.#ended) return
    const cancel = this.#timers.set(delayMs, () => {
      this.#cancels.delete(cancel)
      act()
    })
    this.#cancels.add(cancel)
  }

  end(): void {
    this.#ended = true
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
  }
}
