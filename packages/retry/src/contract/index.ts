export { describeRetryClock, type RetryClockUnderTest } from './retry-clock-contract.ts'
