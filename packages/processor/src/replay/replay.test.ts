import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore } from '../memory-group-store.ts'
import { describeReplayContract } from './contract/replay-contract.ts'

describeReplayContract('memory', async () => {
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
