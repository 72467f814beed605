import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore } from '../memory-group-store.ts'
import { describeEngineContract } from './contract/engine-contract.ts'

// Commits that append emitted events themselves: on Redis, and on both stores side by side in at-once-equality.test.ts.
describeEngineContract('memory', async () => {
  let now = Date.now()
  const clock = { now: () => now }
  const log = createMemoryLog({ clock })
  return {
    log,
    store: createMemoryGroupStore({ log, clock }),
    now: () => now,
    advance: (ms) => {
      now += ms
    },
    close: async () => undefined,
  }
})
