export { describeConsumeContract } from './consume-contract.ts'
export {
  describeMemberListContract,
  type MemberListUnderTest,
} from '../members/contract/member-list-contract.ts'
export { describeGroupStoreContract, type GroupStoreUnderTest } from './group-store-contract.ts'
