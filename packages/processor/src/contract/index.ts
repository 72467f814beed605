export { describeGroupStoreContract, type GroupStoreUnderTest } from './group-store-contract.ts'
