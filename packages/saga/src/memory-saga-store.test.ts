import { describeSagaStoreContract } from './contract/index.ts'
import { createMemorySagaStore } from './memory-saga-store.ts'

describeSagaStoreContract('Memory', async () => ({
  store: createMemorySagaStore(),
  close: async () => undefined,
}))
