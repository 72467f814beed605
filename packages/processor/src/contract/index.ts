export { describeConsumeContract } from './consume-contract.ts'
export {
  describeMemberListContract,
  type MemberListUnderTest,
} from '../members/contract/member-list-contract.ts'
export { describeMembersContract } from '../members/contract/members-contract.ts'
export type { MembersUnderTest } from '../members/contract/troupe.ts'
export { describeGroupStoreContract, type GroupStoreUnderTest } from './group-store-contract.ts'
