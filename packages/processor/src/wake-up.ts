import type { Timers } from './lane/timers.ts'

/** Lets a loop sleep until something has changed. A call while nobody sleeps is kept for the next sleeper. */
export class WakeUp {
  readonly #timers: Timers
  #pending = false
  #wake: (() => void) | undefined

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Wakes the sleeper, or spares the next one his sleep. */
  call(): void {
    this.#pending = true
    this.#wake?.()
  }

  /** Sleeps until called, at most so many ms. One sleeper at a time. */
  sleep(mostMs?: number): Promise<void> {
    if (this.#pending) {
      this.#pending = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      const cancel = mostMs === undefined ? undefined : this.#timers.set(mostMs, () => this.#wake?.())
      this.#wake = () => {
        cancel?.()
        this.#wake = undefined
        this.#pending = false
        resolve()
      }
    })
  }
}
