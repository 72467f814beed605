import { MillraceError } from '@millrace/event'
import {
  type Asking,
  asking,
  type DueListener,
  type RetryClock,
  type RetryJob,
  type RetryRef,
} from '@millrace/retry'
import { Queue, type RateLimiterOptions } from 'bullmq'
import type { RedisOptions } from 'ioredis'
import { openConnections, type QueueConnections } from './connections.ts'
import { DueWorker } from './due-worker.ts'
import { runDue } from './due-run.ts'
import type { JobData } from './job-data.ts'
import { type QueuePlace, retryQueue } from './queue-place.ts'
import { RetryPlan } from './retry-plan.ts'
import { KeySeal } from './sealed-key.ts'
import { HeldOrphans } from './held-orphans.ts'
import { tracedJob } from './traced-job.ts'

/** What a clock of retries on BullMQ is made of. */
export interface RetryClockOptions {
  /**
   * How Redis is reached, as `serverOptions` of `@millrace/redis` reads it from an address. It must not evict keys
   * (`maxmemory-policy noeviction`).
   */
  readonly redis: RedisOptions
  readonly topic: string
  readonly group: string
  /** Seals keys that are addresses. The same on every member of the group, and for the console. */
  readonly secret: string | Uint8Array
  /** What the keys of all queues begin with, in their hash tag. Default `millrace-queues`. */
  readonly prefix?: string
  /** Due retries that are said at once. Default 16. */
  readonly concurrency?: number
  /** How many retries may come due in how many ms, over all members. Default: no limit. */
  readonly limiter?: RateLimiterOptions
  /** Times of asking again. */
  readonly asking?: Partial<Asking>
  /** Time in ms after which a command has failed. Default 5,000. */
  readonly timeoutMs?: number
  /** After about twice this time, in ms, what a dead member had in hand is said by another one. Default 10,000. */
  readonly stalledMs?: number
  /** How often it is looked whether the worker works, in ms. Default 15,000. */
  readonly watchMs?: number
  /** Whether a head still waits: held keys that do not any more leave the dashboard. Default: they stay there. */
  readonly isParked?: (ref: RetryRef) => Promise<boolean>
  /** Hears of what goes wrong on the way and is mended; must not throw. */
  readonly onTrouble?: (error: unknown) => void
}

/** How a clock is, for health checks. */
export interface RetryClockHealth {
  readonly state: 'ok' | 'degraded' | 'down'
  readonly message: string
}

/** A clock of retries whose queue people can look at. */
export interface BullRetryClock extends RetryClock {
  readonly place: QueuePlace
  health(): Promise<RetryClockHealth>
}

/**
 * Connects the clock of a group's parked keys on BullMQ: one queue, one job a parked head. Its data may be wiped at
 * any time; the sweeps of the partitions' owners bring it back.
 *
 * @throws MillraceError `retry.unavailable`
 */
export async function connectRetryClock(options: RetryClockOptions): Promise<BullRetryClock> {
  const { redis, topic, group, timeoutMs = 5_000, onTrouble = nothing } = options
  const place = retryQueue(topic, group, options.prefix)
  const name = `millrace-${place.name}`
  const connections = openConnections({ redis, name, timeoutMs, onTrouble })
  const queue = new Queue<JobData>(place.name, {
    connection: connections.asking,
    prefix: place.prefix,
    defaultJobOptions: { removeOnFail: false, stackTraceLimit: 1 },
    streams: { events: { maxLen: 1_000 } },
  })
  queue.on('error', onTrouble)
  const clock = new QueueClock(options, { place, queue, connections, onTrouble })
  try {
    await within(timeoutMs, queue.waitUntilReady())
    return clock
  } catch (cause) {
    await clock.close()
    throw unavailable(cause)
  }
}

interface QueueClockParts {
  readonly place: QueuePlace
  readonly queue: Queue<JobData>
  readonly connections: QueueConnections
  readonly onTrouble: (error: unknown) => void
}

class QueueClock implements BullRetryClock {
  readonly place: QueuePlace
  readonly #options: RetryClockOptions
  readonly #parts: QueueClockParts
  readonly #seal: KeySeal
  readonly #plan: RetryPlan
  readonly #orphans: HeldOrphans | undefined
  #worker: DueWorker | undefined
  #closing: Promise<void> | undefined

  constructor(options: RetryClockOptions, parts: QueueClockParts) {
    const { queue, connections, onTrouble } = parts
    this.place = parts.place
    this.#options = options
    this.#parts = parts
    this.#seal = new KeySeal(options.secret)
    this.#plan = new RetryPlan(queue, connections.asking, this.#seal)
    if (options.isParked)
      this.#orphans = new HeldOrphans({ queue, seal: this.#seal, isParked: options.isParked, onTrouble })
  }

  schedule(job: RetryJob): Promise<void> {
    const planned = { did: 'planned', queue: this.place.name } as const
    return tracedJob(planned, job, () => asked(() => this.#plan.schedule(job)))
  }

  sweep(jobs: readonly RetryJob[]): Promise<number> {
    return asked(() => this.#plan.sweep(jobs))
  }

  cancel(id: string): Promise<void> {
    return asked(() => this.#plan.cancel(id))
  }

  onDue(listener: DueListener): void {
    if (this.#worker !== undefined) throw new TypeError('A clock has one listener')
    const { place, queue, connections, onTrouble } = this.#parts
    const run = {
      queue,
      listener,
      onTrouble,
      seal: this.#seal,
      asking: { ...asking, ...this.#options.asking },
    }
    this.#worker = new DueWorker({
      ...{ place, queue, onTrouble },
      ...{ asking: connections.asking, waiting: connections.waiting },
      concurrency: this.#options.concurrency ?? 16,
      limiter: this.#options.limiter,
      stalledMs: this.#options.stalledMs ?? 10_000,
      watchMs: this.#options.watchMs ?? 15_000,
      run: (job, token) =>
        tracedJob({ did: 'run', queue: place.name }, job.data, () => runDue(job, token, run)),
    })
  }

  async health(): Promise<RetryClockHealth> {
    const { queue } = this.#parts
    const [counts, paused] = await asked(async () =>
      Promise.all([queue.getJobCounts('delayed', 'waiting', 'failed'), queue.isPaused()]),
    )
    const { delayed = 0, waiting = 0, failed = 0 } = counts
    const words = [
      `${delayed + waiting} retries planned`,
      ...(failed > 0 ? [`${failed} keys wait for an operator`] : []),
      ...(paused ? ['paused on the dashboard'] : []),
      ...((this.#worker?.replaced ?? 0) > 0 ? [`worker replaced ${this.#worker?.replaced} times`] : []),
    ]
    return { state: paused || failed > 0 ? 'degraded' : 'ok', message: words.join('; ') }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    await this.#orphans?.close()
    await this.#worker?.close()
    const { queue, connections } = this.#parts
    // It may never have been connected.
    await queue.close().catch(this.#parts.onTrouble)
    await connections.close()
  }
}

async function asked<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (cause) {
    throw unavailable(cause)
  }
}

function unavailable(cause: unknown): MillraceError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError('retry.unavailable', `The queue of retries cannot be reached: ${why}`, { cause })
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no connection within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function nothing(): void {
  // Nobody wants to hear of it.
}
