import { describeLogContract } from './contract/log-contract.ts'
import { createMemoryLog } from './memory-log.ts'

describeLogContract('memory', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z')
  const windowMs = 60_000
  return {
    log: createMemoryLog({ clock: { now: () => now }, dedupeWindowMs: windowMs }),
    windowMs,
    advance: (ms) => {
      now += ms
    },
    close: async () => undefined,
  }
})
