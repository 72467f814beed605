import { describeSourceContract } from './contract/source-contract.ts'
import { createMemorySource, MemoryDatabase, MemorySlot } from './memory-source.ts'

describeSourceContract('memory', async () => {
  const [database, slot] = [new MemoryDatabase(), new MemorySlot()]
  const table = 'public.items'
  return {
    table,
    source: () => createMemorySource(database, slot),
    commit: async (changes, context = {}) => {
      database.commit(
        changes.map(({ kind, id, v }) => ({ kind, table, row: { id, v } })),
        context,
      )
      // Lets readers in.
      await new Promise((resolve) => setImmediate(resolve))
    },
    rollBack: async () => undefined,
    close: async () => undefined,
  }
})
