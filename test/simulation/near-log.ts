import type { EventLog } from '@millrace/log'
import { watched } from './simulated-server.ts'

/** A log that commits in memory append to at once, but to partitions that are out of reach for a moment. */
export class NearLog {
  readonly log: EventLog
  /** Partitions that no commit appends to. */
  readonly away = new Set<number>()

  constructor(inner: EventLog) {
    this.log = watched<EventLog>(inner, {
      channel: async (topic, partition, channel) => {
        const state = await inner.channel(topic, partition, channel)
        return this.away.has(partition) ? { ...state, incarnation: 2 } : state
      },
    })
  }
}
