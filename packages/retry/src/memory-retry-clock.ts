import { type Clock, systemClock } from '@millrace/event'
import { type Asking, askAgainMs, asking } from './asking.ts'
import { maskedStory } from './masked-story.ts'
import type { DueBy, DueListener, RetryClock, RetryJob } from './retry-clock.ts'
import { retryId } from './retry-id.ts'

/** What a clock in memory goes by. */
export interface MemoryRetryClockOptions {
  readonly clock?: Clock
  /** Calls `act` once after so many ms; the answer cancels that. Default: the machine's timers. */
  readonly timers?: { set(afterMs: number, act: () => void): () => void }
  /** Times in ms of asking again. */
  readonly asking?: Partial<Asking>
}

/** A clock of retries in memory, which tests may look into. */
export interface MemoryRetryClock extends RetryClock {
  /** What is planned or held now, in the order of planning. */
  readonly jobs: readonly RetryJob[]
  /** What an operator does on a dashboard: try it now. False when there is no such job. */
  retryNow(id: string): boolean
  /** Loses everything, as a wiped server does. */
  lose(): void
}

// The longest time that the machine's timers know.
const longestMs = 2 ** 31 - 1

const systemTimers = {
  set(afterMs: number, act: () => void) {
    const timer = setTimeout(act, afterMs)
    return () => clearTimeout(timer)
  },
}

/** The clock of parked keys in memory: for tests, and for a system that is one process. */
export function createMemoryRetryClock(options: MemoryRetryClockOptions = {}): MemoryRetryClock {
  return new TimerClock(options)
}

interface Planned {
  job: RetryJob
  cancel: () => void
}

class TimerClock implements MemoryRetryClock {
  readonly #clock: Clock
  readonly #timers: NonNullable<MemoryRetryClockOptions['timers']>
  readonly #asking: Asking
  readonly #planned = new Map<string, Planned>()
  readonly #firing = new Set<Promise<void>>()
  #listener: DueListener | undefined
  #closed = false

  constructor(options: MemoryRetryClockOptions) {
    this.#clock = options.clock ?? systemClock
    this.#timers = options.timers ?? systemTimers
    this.#asking = { ...asking, ...options.asking }
  }

  get jobs(): readonly RetryJob[] {
    return [...this.#planned.values()].map(({ job }) => job)
  }

  schedule(job: RetryJob): Promise<void> {
    const id = retryId(job)
    const known = this.#planned.get(id)
    if (this.#closed || (known !== undefined && samePlan(known.job, job))) return Promise.resolve()
    known?.cancel()
    const planned = { job: { ...job, story: maskedStory(job.story) }, cancel: nothing }
    this.#planned.set(id, planned)
    if (job.held !== true) this.#arm(id, planned, job.dueMs)
    return Promise.resolve()
  }

  async sweep(jobs: readonly RetryJob[]): Promise<number> {
    const missing = jobs.filter((job) => {
      const known = this.#planned.get(retryId(job))
      return known === undefined || (known.job.held === true) !== (job.held === true)
    })
    for (const job of missing) await this.schedule(job)
    return missing.length
  }

  cancel(id: string): Promise<void> {
    this.#planned.get(id)?.cancel()
    this.#planned.delete(id)
    return Promise.resolve()
  }

  onDue(listener: DueListener): void {
    if (this.#listener !== undefined) throw new TypeError('A clock has one listener')
    this.#listener = listener
    for (const [id, planned] of this.#planned)
      if (planned.job.held !== true) this.#arm(id, planned, planned.job.dueMs)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.lose()
    await Promise.all(this.#firing)
  }

  retryNow(id: string): boolean {
    const planned = this.#planned.get(id)
    if (planned === undefined) return false
    planned.cancel()
    this.#fire(id, planned, 'operator')
    return true
  }

  lose(): void {
    for (const { cancel } of this.#planned.values()) cancel()
    this.#planned.clear()
  }

  #arm(id: string, planned: Planned, atMs: number): void {
    if (this.#listener === undefined || this.#closed) return
    planned.cancel()
    const restMs = atMs - this.#clock.now()
    planned.cancel = this.#timers.set(Math.min(Math.max(restMs, 0), longestMs), () => {
      if (restMs > longestMs) this.#arm(id, planned, atMs)
      else this.#fire(id, planned, 'clock')
    })
  }

  #fire(id: string, planned: Planned, by: DueBy): void {
    const firing = this.#ask(id, planned, by).finally(() => this.#firing.delete(firing))
    this.#firing.add(firing)
  }

  async #ask(id: string, planned: Planned, by: DueBy): Promise<void> {
    const { topic, partition, group, generation, key, parkNo, head } = planned.job
    let againMs: number | undefined
    try {
      const answer = await this.#listener?.({ topic, partition, group, generation, key, parkNo, head }, by)
      againMs = askAgainMs(answer, this.#asking)
    } catch {
      // The listener has told whom it concerns; what counts here is that it is asked again.
      againMs = this.#asking.failedMs
    }
    // Planned anew, or forgotten, while it was asked.
    if (this.#planned.get(id) !== planned || this.#closed) return
    if (againMs === undefined) this.#planned.delete(id)
    else this.#arm(id, planned, this.#clock.now() + againMs)
  }
}

/** Whether planning the second after the first changes nothing. */
function samePlan(one: RetryJob, other: RetryJob): boolean {
  const held = one.held === true
  if (held !== (other.held === true)) return false
  return one.attempt === other.attempt && (held || one.dueMs === other.dueMs)
}

function nothing(): void {
  // Nothing is set yet.
}
