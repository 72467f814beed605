export {
  type DashboardGroup,
  type DashboardQueue,
  type DashboardQueues,
  type DashboardQueuesOptions,
  openDashboardQueues,
} from './dashboard-queues.ts'
export {
  type EffectBoard,
  type EffectBoardOptions,
  type EffectRecord,
  openEffectBoard,
} from './effect-board.ts'
export { type JobData, refOf } from './job-data.ts'
export { defaultPrefix, effectQueue, type QueuePlace, retryQueue } from './queue-place.ts'
export {
  type BullRetryClock,
  connectRetryClock,
  type RetryClockHealth,
  type RetryClockOptions,
} from './retry-clock.ts'
export { KeySeal } from './sealed-key.ts'
