export {
  type ConsumeBase,
  type ConsumeBatches,
  type ConsumeByKey,
  consume,
  type Consumer,
  type Delivered,
} from './consume.ts'
export { consumerChannel, type ConsumerEvent, type ConsumerNews, type EndReason } from './consumer-event.ts'
export type { ConsumerHealth, PartitionHealth } from './consumer-health.ts'
export { type ConsumerBounds, consumerBounds, type DeliveryContext, type Gate } from './consumer-settings.ts'
export type { DeadLetter } from './dead-letter.ts'
export { type FailureKind, kindOfFailure } from './failure-kind.ts'
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
export {
  type Assignment,
  type Heartbeat,
  type ListedMember,
  type MemberGroup,
  type MemberList,
  type MembersView,
  mostMembers,
  silentKeptMs,
} from './members/member-list.ts'
export type { MemberNews } from './members/member-news.ts'
export type { MemberState } from './members/member-state.ts'
export type { MemberHealth, MembersHealth } from './members/members-health.ts'
export { createMemoryMemberList, type MemoryMemberListOptions } from './members/memory-member-list.ts'
export { createMemoryGroupStore, type MemoryGroupStoreOptions } from './memory-group-store.ts'
