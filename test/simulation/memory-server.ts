import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore } from '@millrace/processor'
import type { SimulatedServer } from './simulated-server.ts'

/** A log and a group store in memory. */
export function createMemoryServer(): SimulatedServer {
  let now = 0
  const clock = { now: () => now }
  const log = createMemoryLog({ clock })
  return {
    log,
    store: createMemoryGroupStore({ log, clock }),
    setTime: (nowMs) => {
      now = nowMs
    },
    harms: [],
    compare: async () => undefined,
    afterwards: async () => undefined,
  }
}
