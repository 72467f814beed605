import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore } from '../memory-group-store.ts'
import { describeEngineContract } from './contract/engine-contract.ts'

for (const atOnce of [false, true])
  describeEngineContract(atOnce ? 'memory, emitting at once' : 'memory', async () => {
    let now = Date.now()
    const clock = { now: () => now }
    const log = createMemoryLog({ clock })
    return {
      log,
      store: createMemoryGroupStore({ log, clock, ...(atOnce ? { atOnce: log } : {}) }),
      atOnce,
      now: () => now,
      advance: (ms) => {
        now += ms
      },
      close: async () => undefined,
    }
  })
