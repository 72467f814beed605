export { type Databased, describeSourceContract } from './source-contract.ts'
export { describePipelineStoreContract } from './pipeline-store-contract.ts'
