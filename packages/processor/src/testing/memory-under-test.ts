import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore } from '../memory-group-store.ts'

/** A log and a group store in memory for a suite, and their clock. */
export async function memoryUnderTest() {
  let now = Date.now()
  const clock = { now: () => now }
  const log = createMemoryLog({ clock })
  return {
    log,
    store: createMemoryGroupStore({ log, clock }),
    now: () => now,
    advance: (ms: number) => {
      now += ms
    },
    close: async () => undefined,
  }
}
