export { type Asking, askAgainMs, asking } from './asking.ts'
export { type Backoff, backoffMs, longestWishMs } from './backoff.ts'
export { type Fingerprint, fingerprintOf } from './fingerprint.ts'
export { maskedData, maskedKey, maskedStory } from './masked-story.ts'
export {
  createMemoryRetryClock,
  type MemoryRetryClock,
  type MemoryRetryClockOptions,
} from './memory-retry-clock.ts'
export { readRetryAfter, retryAfterOf } from './retry-after.ts'
export type {
  DueAnswer,
  DueBy,
  DueListener,
  RetryClock,
  RetryJob,
  RetryRef,
  RetryStory,
} from './retry-clock.ts'
export { retryId } from './retry-id.ts'
