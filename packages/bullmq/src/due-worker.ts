import { type Job, type Queue, type RateLimiterOptions, Worker } from 'bullmq'
import type { Redis } from 'ioredis'
import type { JobData } from './job-data.ts'
import type { QueuePlace } from './queue-place.ts'

/** What a worker of due jobs is made of. */
export interface DueWorkerOptions {
  readonly place: QueuePlace
  readonly queue: Queue<JobData>
  readonly asking: Redis
  readonly waiting: Redis
  /** Jobs that are run at once. */
  readonly concurrency: number
  readonly limiter: RateLimiterOptions | undefined
  /** After about twice this time, in ms, what a dead member had in hand is run elsewhere. */
  readonly stalledMs: number
  /** How often it is looked whether it works, in ms. */
  readonly watchMs: number
  readonly run: (job: Job<JobData>, token: string | undefined) => Promise<string>
  readonly onTrouble: (error: unknown) => void
}

/** How often looks must have found due jobs and no progress before a worker is replaced. */
const looksInVain = 2

/** How long a job may be overdue, in ms, before somebody must see to it. */
const overdueMs = 5_000

/** How long a stop waits for runs, in ms: they mark a record, and are run again elsewhere. */
const stopMs = 5_000

/**
 * A worker that is replaced when it stands still. What counts is progress: workers that stop without a word after a
 * reconnect are the most frequent fault reported of BullMQ, and their connections look well.
 */
export class DueWorker {
  readonly #options: DueWorkerOptions
  #worker: Worker<JobData, string>
  #watch: NodeJS.Timeout | undefined
  #runs = 0
  #running = 0
  #runsSeen = 0
  #inVain = 0
  #looking: Promise<void> = Promise.resolve()
  #closed = false
  #replaced = 0

  constructor(options: DueWorkerOptions) {
    this.#options = options
    this.#worker = this.#start()
    this.#plan()
  }

  /** How often it was replaced. */
  get replaced(): number {
    return this.#replaced
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#watch)
    await this.#looking
    await ended(this.#worker)
  }

  #start(): Worker<JobData, string> {
    const { place, waiting, concurrency, limiter, stalledMs, onTrouble } = this.#options
    const worker = new Worker<JobData, string>(place.name, (job, token) => this.#run(job, token), {
      connection: waiting,
      prefix: place.prefix,
      name: 'millrace',
      concurrency,
      ...(limiter === undefined ? {} : { limiter }),
      // What a member had in hand when it died is run elsewhere, as often as it takes: it only marks a record.
      maxStalledCount: 1_000_000,
      lockDuration: Math.ceil(stalledMs * 1.5),
      stalledInterval: stalledMs,
      removeOnComplete: { count: 1_000 },
    })
    worker.on('error', onTrouble)
    return worker
  }

  async #run(job: Job<JobData>, token: string | undefined): Promise<string> {
    this.#running += 1
    try {
      return await this.#options.run(job, token)
    } finally {
      this.#running -= 1
      this.#runs += 1
    }
  }

  #plan(): void {
    if (this.#closed) return
    this.#watch = setTimeout(() => {
      this.#looking = this.#look()
        .catch((error: unknown) => this.#options.onTrouble(error))
        .finally(() => this.#plan())
    }, this.#options.watchMs)
    this.#watch.unref()
  }

  async #look(): Promise<void> {
    const { queue, asking } = this.#options
    const still = this.#runs === this.#runsSeen && this.#running === 0
    this.#runsSeen = this.#runs
    // BullMQ keeps the time of a delayed job in the upper bits of its score.
    const most = (Date.now() - overdueMs) * 0x1000
    const overdue = await asking.zcount(queue.keys['delayed'] ?? '', 0, most)
    const waits = still && (overdue > 0 || (await queue.getWaitingCount()) > 0)
    this.#inVain = waits && !(await queue.isPaused()) ? this.#inVain + 1 : 0
    if (this.#inVain < looksInVain) return
    this.#inVain = 0
    this.#replaced += 1
    this.#options.onTrouble(new Error('The worker of a retry queue stood still and is replaced'))
    const old = this.#worker
    this.#worker = this.#start()
    // It may hang on a connection that is none any more.
    void ended(old)
  }
}

async function ended(worker: Worker<JobData, string>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, stopMs)
  })
  const closed = worker.close().catch(() => undefined)
  await Promise.race([closed, late])
  clearTimeout(timer)
  if (worker.isRunning()) await Promise.race([worker.close(true).catch(() => undefined), late])
}
