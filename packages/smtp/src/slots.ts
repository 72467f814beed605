import { abortableWait, type Wait } from './abortable-wait.ts'
import { gaveUp } from './mail-failure.ts'

/**
 * At most `limit` sends at once, at most `maxWaiting` behind them, first come first served. The bound lies
 * here and not in the mail library, so that a time limit starts when the sending starts.
 */
export class Slots {
  readonly #limit: number
  readonly #maxWaiting: number
  readonly #waiting = new Set<Wait>()
  readonly #idle = new Set<() => void>()
  #taken = 0
  #closed = false

  constructor(limit: number, maxWaiting: number) {
    this.#limit = limit
    this.#maxWaiting = maxWaiting
  }

  /** Resolves with the function that gives the slot back; `mail.temporary` when full, closed or aborted. */
  async take(signal?: AbortSignal): Promise<() => void> {
    if (this.#closed) throw gaveUp('stopped')
    if (signal?.aborted === true) throw gaveUp('aborted')
    if (this.#taken < this.#limit) this.#taken += 1
    else await this.#wait(signal)
    let given = false
    return () => {
      if (!given) this.#giveBack()
      given = true
    }
  }

  /** Refuses whoever waits and whoever comes; resolves when the last slot is back. */
  async close(): Promise<void> {
    this.#closed = true
    for (const waiter of this.#waiting) waiter.fail(gaveUp('stopped'))
    if (this.#taken > 0) await new Promise<void>((resolve) => this.#idle.add(resolve))
  }

  async #wait(signal?: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#maxWaiting) throw gaveUp('queue-full')
    const wait = abortableWait(signal)
    this.#waiting.add(wait)
    try {
      await wait.done
    } finally {
      this.#waiting.delete(wait)
    }
  }

  // The slot goes straight to the next who still waits, so that nobody who comes meanwhile overtakes.
  #giveBack(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next)
      if (next.go()) return
    }
    this.#taken -= 1
    if (this.#taken === 0) for (const idle of this.#idle) idle()
  }
}
