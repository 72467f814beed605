import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import type { DashboardQueue } from '@millrace/bullmq'

/** Jobs that are removed in one go. */
const page = 100

type BoardJob = Awaited<ReturnType<BullMQAdapter['getJobs']>>[number]

/** What somebody decides about the head that a job is a picture of. */
export interface JobRuling {
  /** Names the decision: a repeat of it is the same. */
  readonly id: string
  readonly kind: 'requeued' | 'ignored'
  /** The data of the job. */
  readonly data: unknown
}

/**
 * A queue of parked keys on the dashboard. Its jobs are only pictures of park records: to retry one requeues the head
 * of its key, and to remove one ignores it. Both are ruled first, and then seen.
 */
export class RetryAdapter extends BullMQAdapter {
  readonly #rule: (ruling: JobRuling) => Promise<void>

  constructor(
    queue: DashboardQueue['queue'],
    options: {
      readonly readOnly: boolean
      readonly description: string
      /** Throws when it cannot be ruled so; the job stays as it is then. */
      readonly rule: (ruling: JobRuling) => Promise<void>
    },
  ) {
    super(queue, {
      readOnlyMode: options.readOnly,
      allowRetries: !options.readOnly,
      description: options.description,
    })
    this.#rule = options.rule
  }

  override async getJob(id: string) {
    const job = await super.getJob(id)
    return job && this.#ruled(job)
  }

  override async getJobs(...asked: Parameters<BullMQAdapter['getJobs']>) {
    return (await super.getJobs(...asked)).map((job) => this.#ruled(job))
  }

  /** Removes all that stand at a status, as one after the other would be: what waits is ignored. */
  override async clean(...asked: Parameters<BullMQAdapter['clean']>) {
    const [status] = asked
    // What has ended is a picture of nothing. What is under way comes back to another status.
    if (status === 'completed') return super.clean(...asked)
    if (status === 'active') return
    const kept: unknown[] = []
    for (;;) {
      // Those that could not be removed stay in front.
      const jobs = await this.getJobs(
        [status === 'wait' ? 'waiting' : status],
        kept.length,
        kept.length + page - 1,
      )
      for (const job of jobs) await job.remove().catch((error: unknown) => kept.push(error))
      if (jobs.length < page) break
    }
    if (kept.length > 0) throw new AggregateError(kept, `${kept.length} jobs could not be removed`)
  }

  #ruled<J extends BoardJob>(job: J): J {
    const { id, attemptsMade, data } = job.toJSON()
    const remove = job.remove.bind(job)
    const retry = job.retry.bind(job)
    job.remove = async () => {
      await this.#rule({ id: `removed-${id}`, kind: 'ignored', data })
      await remove()
    }
    job.retry = async (state) => {
      // Each end of the job may be answered by a retry of its own.
      if (state === 'failed')
        await this.#rule({ id: `retried-${id}-${attemptsMade}`, kind: 'requeued', data })
      await retry(state)
    }
    return job
  }
}
