import { maskedKey, maskedStory, type RetryJob, type RetryRef, type RetryStory } from '@millrace/retry'
import type { KeySeal } from './sealed-key.ts'

/** What a job of a parked key holds, as the dashboard shows it. */
export interface JobData {
  readonly topic: string
  readonly group: string
  readonly partition: number
  readonly generation: number
  /** The key as it may be shown. */
  readonly key: string
  /** The key itself, where it may not be shown. */
  readonly sealedKey?: string
  readonly head: number
  readonly parkNo: number
  readonly attempt: number
  readonly dueMs: number
  /** It waits for an operator. */
  readonly held?: true
  /** How often the job had ended when it was held: one more end, and the next run is an operator's wish. */
  readonly endsBefore?: number
  readonly story: RetryStory
}

/** Writes a job for people to read. */
export function jobDataOf(job: RetryJob, seal: KeySeal, endsBefore: number): JobData {
  const { topic, group, partition, generation, head, parkNo, attempt, dueMs } = job
  const key = maskedKey(job.key)
  return {
    story: maskedStory(job.story),
    attempt,
    dueMs,
    ...(job.held === true ? { held: true, endsBefore } : {}),
    topic,
    group,
    partition,
    generation,
    key,
    ...(key === job.key ? {} : { sealedKey: seal.seal(job.key) }),
    head,
    parkNo,
  }
}

/** The name of a job: what has failed, and of whom. */
export function jobNameOf(job: RetryJob): string {
  return `${job.story.type} ${maskedKey(job.key)}`.slice(0, 200)
}

/** Which head a job is about; undefined when nobody here can tell. */
export function refOf(data: JobData, seal: KeySeal): RetryRef | undefined {
  const { topic, group, partition, generation, head, parkNo } = data
  const key = data.sealedKey === undefined ? data.key : seal.open(data.sealedKey)
  const known = [topic, group, partition, generation, head, parkNo].every((part) => part !== undefined)
  return known && key !== undefined ? { topic, partition, group, generation, key, parkNo, head } : undefined
}

/** Whether two jobs of one head say the same of its time. */
export function samePlan(one: JobData, other: RetryJob | JobData): boolean {
  const held = one.held === true
  if (held !== (other.held === true)) return false
  return one.attempt === other.attempt && (held || one.dueMs === other.dueMs)
}
