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
