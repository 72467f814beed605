import type { RetryRef } from '@millrace/retry'
import type { Queue } from 'bullmq'
import { type JobData, refOf } from './job-data.ts'
import type { KeySeal } from './sealed-key.ts'

const everyMs = 60_000
const page = 100

/** What the search for orphans needs. */
export interface HeldOrphansOptions {
  readonly queue: Queue<JobData>
  readonly seal: KeySeal
  readonly isParked: (ref: RetryRef) => Promise<boolean>
  readonly onTrouble: (error: unknown) => void
}

/**
 * Takes held keys off the dashboard that were settled elsewhere, when whoever settled them could not say so. A planned
 * retry needs nothing of the kind: it comes due, and hears that it is stale.
 */
export class HeldOrphans {
  readonly #options: HeldOrphansOptions
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()
  #from = 0
  #closed = false

  constructor(options: HeldOrphansOptions) {
    this.#options = options
    this.#plan()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  #plan(): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#looking = this.#look()
        .catch((error: unknown) => this.#options.onTrouble(error))
        .finally(() => this.#plan())
    }, everyMs)
    this.#timer.unref()
  }

  async #look(): Promise<void> {
    const { queue, seal, isParked } = this.#options
    const jobs = await queue.getFailed(this.#from, this.#from + page - 1)
    let gone = 0
    for (const job of jobs) {
      const ref = refOf(job.data, seal)
      if (ref === undefined || (await isParked(ref))) continue
      await job.remove()
      gone += 1
    }
    this.#from = jobs.length < page ? 0 : this.#from + page - gone
  }
}
