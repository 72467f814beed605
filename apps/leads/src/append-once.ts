import { type Event, MillraceError, type Topic } from '@millrace/event'
import { appendOne, type EventLog } from '@millrace/log'

const pageEvents = 500
/** How often a key may move on between the look and the append. */
const mostAttempts = 20

/**
 * Appends one event unless its key has it, from however long ago: the log itself knows ids for an hour, and what led to
 * the event may be repeated after a day. Costs a read of the key's history: for keys that have a few hundred events.
 *
 * @throws MillraceError what the log throws; `service.busy` when the key moves on all the time
 */
export async function appendOnce(
  log: Pick<EventLog, 'append' | 'readKey'>,
  topic: Topic,
  event: Event,
): Promise<void> {
  let version = 0
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    for (;;) {
      const page = await log.readKey(topic, event.subject, { afterVersion: version, limit: pageEvents })
      if (page.events.some(({ event: known }) => isSame(known, event))) return
      version += page.events.length
      if (page.events.length === 0 || version >= page.version) break
    }
    try {
      await appendOne(log, topic, { events: [event], expectedVersion: version })
      return
    } catch (error) {
      if (!(error instanceof MillraceError && error.code === 'append.version')) throw error
    }
  }
  throw new MillraceError('service.busy', 'The key is being appended to by others')
}

function isSame(known: Event, event: Event): boolean {
  return known.id === event.id && known.source === event.source
}
