import { MillraceError } from '@millrace/event'

/** Bounds of a {@link WorkQueue}. */
export interface WorkQueueOptions {
  /** Pieces of work at once. */
  readonly concurrency: number
  /** Pieces that may wait; one more is refused. */
  readonly waiting: number
}

/** Runs costly work a few pieces at a time, in order, and refuses what would have to wait too long. */
export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  /**
   * Runs a piece of work when its turn comes. One that was given up while it waited does not run.
   *
   * @throws MillraceError `service.busy`
   */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#turn()
    try {
      signal?.throwIfAborted()
      return await work()
    } finally {
      this.#running -= 1
      this.#waiting.shift()?.()
    }
  }

  #turn(): Promise<void> {
    if (this.#running < this.#options.concurrency && this.#waiting.length === 0) {
      this.#running += 1
      return Promise.resolve()
    }
    if (this.#waiting.length >= this.#options.waiting)
      throw new MillraceError('service.busy', 'Too many passwords are waiting to be hashed', {
        details: { retryAfterSeconds: 1 },
      })
    return new Promise((resolve) =>
      this.#waiting.push(() => {
        this.#running += 1
        resolve()
      }),
    )
  }
}
