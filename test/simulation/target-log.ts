import type { Event, Topic } from '@millrace/event'
import { beginning, type EventLog } from '@millrace/log'

/** What lies in a partition of a target, in order. */
export async function eventsIn(log: EventLog, target: Topic, partition: number): Promise<readonly Event[]> {
  const events: Event[] = []
  for (let cursor = beginning; ;) {
    const read = await log.read(target, new Map([[partition, cursor]]), { limit: 1_000 })
    const page = read.get(partition) ?? []
    const last = page.at(-1)
    if (!last) return events
    events.push(...page.map(({ event }) => event))
    cursor = last.position.id
  }
}
