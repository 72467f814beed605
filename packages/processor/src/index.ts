export type { DeadLetter } from './dead-letter.ts'
export {
  assertGroupName,
  type Commit,
  type GroupPartition,
  type GroupState,
  type GroupStore,
  type Lease,
  type Reached,
  type Renewal,
} from './group-store.ts'
export { createMemoryGroupStore, type MemoryGroupStoreOptions } from './memory-group-store.ts'
