import { describePipelineStoreContract } from './contract/pipeline-store-contract.ts'
import { createMemoryPipelineStore } from './memory-pipeline-store.ts'

describePipelineStoreContract('memory', async () => ({
  store: createMemoryPipelineStore(),
  close: async () => undefined,
}))
