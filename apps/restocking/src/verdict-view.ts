import { upcast } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import type { View } from '@millrace/view'
import { suggestions } from './supply-topic.ts'
import type { VerdictRows } from './verdict-rows.ts'

/** The view of what is said about each line of the orders. */
export const verdictView: View<VerdictRows> = {
  name: 'restocking-view',
  topic: suggestions,
  fold: async (rows, recorded) => fold(rows, recorded),
  lastSeqs: (rows, keys) => rows.load(keys),
  rewind: async (rows, { partition, seq }, history) => {
    const touched = await rows.touchedAfter(partition, seq)
    await rows.remove(touched)
    // The last word about a line is its verdict; those before it say what was withdrawn.
    for (const key of touched) for (const recorded of await history(key)) fold(rows, recorded)
    return touched.length > 0 ? 'more' : 'done'
  },
}

function fold(rows: VerdictRows, { event, position }: Recorded): void {
  if (!Object.hasOwn(suggestions.types, event.type)) return
  const known = upcast(suggestions, event)
  rows.put({
    lineKey: known.subject,
    said: known.data,
    correlationId: known.correlationid,
    eventId: known.id,
    reviewedAt: known.time,
    partition: position.partition,
    lastSeq: position.seq,
  })
}
