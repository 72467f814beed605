import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore } from '@millrace/processor'
import type { Servers } from './campaign.ts'
import { createMemoryLogServer } from './log/log-server.ts'
import type { SimulatedServer } from './simulated-server.ts'

export const memoryServers: Servers = {
  open: async () => createMemoryServer(),
  openLog: async () => createMemoryLogServer(),
}

/** A log and a group store in memory. */
export function createMemoryServer(): SimulatedServer {
  let now = 0
  const clock = { now: () => now }
  const log = createMemoryLog({ clock })
  const store = createMemoryGroupStore({ log, atOnce: log, clock })
  return {
    log,
    store,
    stories: store,
    setTime: (nowMs) => {
      now = nowMs
    },
    harms: [],
    compare: async () => undefined,
    afterwards: async () => undefined,
  }
}
