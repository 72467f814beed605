export { describeEngineContract } from '../engine/contract/engine-contract.ts'
export type { EngineUnderTest } from '../engine/contract/scene.ts'
export { describeRunningContract } from './running-contract.ts'
export {
  describeMemberListContract,
  type MemberListUnderTest,
} from '../members/contract/member-list-contract.ts'
export { describeMembersContract } from '../members/contract/members-contract.ts'
export type { MembersUnderTest } from '../members/contract/troupe.ts'
export { describeReplayContract, type ReplayUnderTest } from '../replay/contract/replay-contract.ts'
export { describeForwarderContract } from './forwarder-contract.ts'
export { type GroupStoreUnderTest, LeasedGroup } from './group-fixture.ts'
export { describeGroupStoreContract } from './group-store-contract.ts'
export { describeStoriesContract, type StoriesUnderTest } from '../story/contract/stories-contract.ts'
export {
  describeStoryIndexContract,
  type StoryIndexUnderTest,
} from '../story/contract/story-index-contract.ts'
export { taken } from './shadowing.ts'
export { deferral, emitted, held, intent, letter, park, stateOf, target } from './parts.ts'
