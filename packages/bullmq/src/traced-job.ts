import { childTrace, isSampled, runInScope, tellWork, workTraced } from '@millrace/event'
import type { RetryJob } from '@millrace/retry'
import type { JobData } from './job-data.ts'

/** What is done with a job. */
export interface JobStep {
  readonly did: 'planned' | 'run'
  readonly queue: string
}

/** Plans or runs the job of a retry in the scope of the event that waits; whoever traces hears of it. */
export async function tracedJob<T>(
  step: JobStep,
  job: RetryJob | JobData,
  act: () => Promise<T>,
): Promise<T> {
  // Somebody else may have written into the queue: then there may be no story.
  const { story }: { readonly story?: RetryJob['story'] } = job
  if (story === undefined) return act()
  const { correlationId = '', eventId, type, traceparent: parent } = story
  const traced = workTraced() && isSampled(parent)
  if (!traced) return runInScope({ correlationId, causationId: eventId, traceparent: parent }, act)
  const traceparent = childTrace(parent)
  const [startMs, from] = [Date.now(), performance.now()]
  try {
    return await runInScope({ correlationId, causationId: eventId, traceparent }, act)
  } finally {
    const { topic, group, partition, attempt } = job
    tellWork({
      ...{ kind: 'job', traceparent, parent, correlationId, startMs, tookMs: performance.now() - from },
      ...{ topic, group, partition, eventId, type, attempt, ...step },
    })
  }
}
