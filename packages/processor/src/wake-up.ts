/** Lets a loop sleep until something has changed. A call while nobody sleeps is kept for the next sleeper. */
export class WakeUp {
  #pending = false
  #wake: (() => void) | undefined

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
      const timer = mostMs === undefined ? undefined : setTimeout(() => this.#wake?.(), mostMs)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = undefined
        this.#pending = false
        resolve()
      }
    })
  }
}
