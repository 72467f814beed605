import { createMemoryLog } from '@millrace/log'
import { describeRunningContract } from './contract/running-contract.ts'
import { createMemoryGroupStore } from './memory-group-store.ts'

describeRunningContract('memory', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const clock = { now: () => now }
  const log = createMemoryLog({ clock })
  return {
    log,
    store: createMemoryGroupStore({ log, clock }),
    advance: (ms) => {
      now += ms
    },
    close: async () => undefined,
  }
})
