import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import type { DashboardQueue } from '@millrace/bullmq'

/** What somebody does with a job whose record lies elsewhere. */
export interface JobRuling {
  /** The job is to vanish: the head of its key is ignored, which is written down. Throws when that cannot be. */
  ignore(data: unknown): Promise<void>
}

/**
 * A queue of parked keys on the dashboard. Its jobs are only pictures of park records: to retry one asks its owner to
 * run the head, and to remove one ignores the head.
 */
export class RetryAdapter extends BullMQAdapter {
  readonly #retries: DashboardQueue['queue']
  readonly #ruling: JobRuling

  constructor(
    queue: DashboardQueue['queue'],
    ruling: JobRuling,
    options: { readonly readOnly: boolean; readonly description: string },
  ) {
    super(queue, {
      readOnlyMode: options.readOnly,
      allowRetries: !options.readOnly,
      description: options.description,
    })
    this.#retries = queue
    this.#ruling = ruling
  }

  override async getJob(id: string) {
    const job = await this.#retries.getJob(id)
    if (job === undefined) return undefined
    const remove = job.remove.bind(job)
    job.remove = async () => {
      await this.#ruling.ignore(job.data)
      await remove()
    }
    return job
  }
}
