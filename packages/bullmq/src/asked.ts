import type { DueBy } from '@millrace/retry'
import type { Job } from 'bullmq'
import type { JobData } from './job-data.ts'

/**
 * What a run leaves on its job: that the head is marked as due, for which plan and who wanted it. It lies beside the
 * data, which only those write who plan.
 */
export interface Asked {
  readonly state: 'waits for its owner'
  readonly attempt: number
  readonly dueMs: number
  readonly by: DueBy
}

export function askedOf(job: Job<JobData>): Asked | undefined {
  const { progress } = job
  return typeof progress === 'object' && 'attempt' in progress && 'by' in progress
    ? (progress as Asked)
    : undefined
}
