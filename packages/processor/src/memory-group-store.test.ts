import { createMemoryLog } from '@millrace/log'
import { describeGroupStoreContract } from './contract/group-store-contract.ts'
import { createMemoryGroupStore } from './memory-group-store.ts'

describeGroupStoreContract('memory', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const clock = { now: () => now }
  const log = createMemoryLog({ clock })
  return {
    log,
    store: createMemoryGroupStore({ log, clock, atOnce: log }),
    advance: (ms) => {
      now += ms
    },
    close: async () => undefined,
  }
})
