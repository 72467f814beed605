import { type Asking, askAgainMs, type DueBy, type DueListener } from '@millrace/retry'
import { DelayedError, Job, type MinimalQueue, UnrecoverableError } from 'bullmq'
import { type Asked, askedOf } from './asked.ts'
import { type JobData, refOf, samePlan } from './job-data.ts'
import type { KeySeal } from './sealed-key.ts'

/** Clocks of machines differ: what comes so many ms before its time has come at its time. */
const skewMs = 2_000

/** What runs of due jobs need. */
export interface DueRunOptions {
  readonly queue: MinimalQueue
  readonly seal: KeySeal
  readonly asking: Asking
  readonly listener: DueListener
  readonly onTrouble: (error: unknown) => void
}

/**
 * Runs a job whose time has come. It only says so: the job stays, to be asked for again, until its head is planned
 * anew, is forgotten, or the listener says that it is gone.
 *
 *     delayed ─due─▶ active ─due, already─▶ delayed (asked again)
 *        ▲            │  └─stale─▶ completed
 *        └── promote  └─held, shown for the first time─▶ failed ─Retry─▶ active, by the operator
 */
export async function runDue(
  job: Job<JobData>,
  token: string | undefined,
  options: DueRunOptions,
): Promise<string> {
  const { data } = job
  const ref = refOf(data, options.seal)
  if (ref === undefined)
    throw new UnrecoverableError('This job names no key that can be read here: was the secret changed?')
  if (data.held === true && job.attemptsMade <= (data.endsBefore ?? 0)) throw heldError(data)
  const by = whoWants(job)
  if (by === undefined) return again(job, token, data.dueMs)
  let againMs: number | undefined
  try {
    againMs = askAgainMs(await options.listener(ref, by), options.asking)
  } catch (error) {
    options.onTrouble(error)
    againMs = options.asking.failedMs
  }
  if (againMs === undefined) return 'settled'
  const latest = await Job.fromId<JobData>(options.queue, job.id ?? '')
  if (latest !== undefined && !samePlan(latest.data, data))
    // Planned anew while it was asked for.
    return again(job, token, latest.data.held === true ? Date.now() : latest.data.dueMs)
  const asked: Asked = { state: 'waits for its owner', attempt: data.attempt, dueMs: data.dueMs, by }
  await job.updateProgress(asked)
  return again(job, token, Date.now() + againMs)
}

/** Who wants the head to be tried now; undefined: nobody, its time was moved while it was run and its member died. */
function whoWants(job: Job<JobData>): DueBy | undefined {
  const { data } = job
  const asked = askedOf(job)
  if (asked !== undefined && asked.attempt === data.attempt && asked.dueMs === data.dueMs) return asked.by
  if (data.held === true) return 'operator'
  if (Date.now() + skewMs >= data.dueMs) return 'clock'
  return job.stalledCounter > 0 ? undefined : 'operator'
}

async function again(job: Job<JobData>, token: string | undefined, atMs: number): Promise<never> {
  await job.moveToDelayed(atMs, token)
  throw new DelayedError()
}

/** What makes a held key stand among the failed jobs, with its story. */
function heldError({ story }: JobData): UnrecoverableError {
  const error = new UnrecoverableError(`${story.reason}: ${story.error}`)
  if (story.stack !== undefined) error.stack = story.stack
  return error
}
