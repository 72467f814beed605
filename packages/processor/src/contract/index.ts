export { describeConsumeContract } from './consume-contract.ts'
export { describeGroupStoreContract, type GroupStoreUnderTest } from './group-store-contract.ts'
