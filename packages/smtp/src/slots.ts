import { mailError } from './mail-failure.ts'

interface Waiter {
  readonly start: () => void
  readonly fail: (error: Error) => void
}

/**
 * At most `limit` sends at once, at most `maxWaiting` behind them, first come first served. The bound lies
 * here and not in the mail library, so that a time limit starts when the sending starts.
 */
export class Slots {
  readonly #limit: number
  readonly #maxWaiting: number
  readonly #waiting = new Set<Waiter>()
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
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter: Waiter = { start: resolve, fail: reject }
    const onAbort = (): void => reject(gaveUp('aborted'))
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#waiting.add(waiter)
    try {
      await promise
    } finally {
      this.#waiting.delete(waiter)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  // The slot goes straight to the next waiter, so that nobody who comes meanwhile overtakes it.
  #giveBack(): void {
    const next = this.#waiting.values().next().value
    if (next !== undefined) {
      this.#waiting.delete(next)
      next.start()
      return
    }
    this.#taken -= 1
    if (this.#taken === 0) for (const idle of this.#idle) idle()
  }
}

function gaveUp(reason: 'stopped' | 'aborted' | 'queue-full'): Error {
  return mailError('mail.temporary', { scope: 'local', step: 'queue', reason })
}
