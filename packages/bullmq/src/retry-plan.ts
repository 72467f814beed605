import { setTimeout as delay } from 'node:timers/promises'
import { type RetryJob, retryId } from '@millrace/retry'
import { Job, type Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import { type Asked, askedOf } from './asked.ts'
import { type JobData, jobDataOf, jobNameOf, samePlan } from './job-data.ts'
import type { KeySeal } from './sealed-key.ts'

/** Held keys that are shown: beyond that they are in the store alone, where the command line lists them. */
const mostHeld = 10_000

// A job that is being run cannot be moved. Runs are short: they mark a record.
const mostTries = 10
const pauseMs = 25

/** Writes what is to come into the queue of a group. */
export class RetryPlan {
  readonly #queue: Queue<JobData>
  readonly #redis: Redis
  readonly #seal: KeySeal
  /** Heads that are being planned now, with the last who asked. */
  readonly #lines = new Map<string, Promise<void>>()

  constructor(queue: Queue<JobData>, redis: Redis, seal: KeySeal) {
    this.#queue = queue
    this.#redis = redis
    this.#seal = seal
  }

  /** See RetryClock. */
  schedule(job: RetryJob): Promise<void> {
    return this.#alone(retryId(job), () => this.#schedule(job))
  }

  async #schedule(job: RetryJob): Promise<void> {
    for (let tries = 0; tries < mostTries; tries++) {
      if (tries > 0) await delay(pauseMs)
      if (await this.#tried(job)) return
    }
    // Whoever runs it reads the new plan when it has ended.
  }

  /** See RetryClock. */
  async sweep(jobs: readonly RetryJob[]): Promise<number> {
    const pipeline = this.#redis.pipeline()
    const { keys } = this.#queue
    for (const job of jobs) {
      const id = retryId(job)
      pipeline.exists(this.#queue.toKey(id))
      pipeline.zscore(keys['completed'] ?? '', id)
      pipeline.zscore(keys['failed'] ?? '', id)
    }
    const answers = (await pipeline.exec()) ?? []
    const valueAt = (at: number): unknown => {
      const [error, value] = answers[at] ?? []
      if (error) throw error
      return value
    }
    const missing = jobs.filter((job, at) => {
      const [there, completed, failed] = [0, 1, 2].map((column) => valueAt(at * 3 + column))
      return there === 0 || completed !== null || (failed === null) === (job.held === true)
    })
    for (const job of missing) await this.schedule(job)
    return missing.length
  }

  /** See RetryClock. */
  cancel(id: string): Promise<void> {
    return this.#alone(id, async () => {
      const job = await Job.fromId<JobData>(this.#queue, id)
      if (job !== undefined && (await job.getState()) !== 'active') await this.#removed(job)
    })
  }

  /** What is asked of one head is done in the order of asking: the last word counts. */
  async #alone(id: string, act: () => Promise<void>): Promise<void> {
    // Whoever was before has told his own caller how it ended.
    const turn = (this.#lines.get(id) ?? Promise.resolve()).catch(() => undefined).then(act)
    this.#lines.set(id, turn)
    try {
      await turn
    } finally {
      if (this.#lines.get(id) === turn) this.#lines.delete(id)
    }
  }

  /** Answers whether it is as it is to be. */
  async #tried(job: RetryJob): Promise<boolean> {
    const known = await Job.fromId<JobData>(this.#queue, retryId(job))
    if (known === undefined) return this.#added(job)
    const state = await known.getState()
    const same = samePlan(known.data, job)
    if (state === 'active') {
      if (!same) await known.updateData(this.#data(job, known))
      return false
    }
    if (state === 'delayed') return this.#moved(job, known, same)
    // Shown already, or about to be run: a repeat changes nothing.
    if (same && (state === 'waiting' || (state === 'failed' && job.held === true))) return true
    await this.#removed(known)
    return this.#added(job)
  }

  async #added(job: RetryJob): Promise<boolean> {
    const held = job.held === true
    if (held && (await this.#queue.getFailedCount()) >= mostHeld) return true
    await this.#queue.add(jobNameOf(job), this.#data(job, undefined), {
      jobId: retryId(job),
      delay: held ? 0 : Math.max(job.dueMs - Date.now(), 0),
    })
    return true
  }

  async #moved(job: RetryJob, known: Job<JobData>, same: boolean): Promise<boolean> {
    // Asked for already, and to be asked for again: that time is the clock's own.
    if (same && matches(askedOf(known), known.data)) return true
    if (!same) await known.updateData(this.#data(job, known))
    try {
      if (job.held === true) await known.promote()
      else await known.changeDelay(Math.max(job.dueMs - Date.now(), 0))
      return true
    } catch (error) {
      // It has just come due, or is gone: looked at again.
      const now = await Job.fromId<JobData>(this.#queue, retryId(job))
      if (now !== undefined && (await now.getState()) === 'delayed') throw error
      return false
    }
  }

  /** Somebody may be quicker: what is gone is gone, and what runs now is looked at again. */
  async #removed(job: Job<JobData>): Promise<void> {
    try {
      await job.remove()
    } catch (error) {
      if ((await job.getState()) !== 'active') throw error
    }
  }

  #data(job: RetryJob, known: Job<JobData> | undefined): JobData {
    return jobDataOf(job, this.#seal, known?.attemptsMade ?? 0)
  }
}

function matches(asked: Asked | undefined, { attempt, dueMs }: JobData): boolean {
  return asked !== undefined && asked.attempt === attempt && asked.dueMs === dueMs
}
