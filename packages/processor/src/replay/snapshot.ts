import type { Topic } from '@millrace/event'
import { type EventLog, type Recorded, recordedMsOf } from '@millrace/log'
import type { GroupPartition, GroupStore } from '../group-store.ts'
import type { MigratedKey } from '../migrated-key.ts'
import { decodeRecord, type KeyRecord } from '../model/key-record.ts'
import type { Processor } from '../model/processor.ts'
import { recordOfMigration } from '../model/taken-over.ts'
import { isDropped } from '../shadow/dropped-mark.ts'

/** Up to where a state is asked for. */
export interface Bounds {
  readonly within: (recorded: Recorded) => boolean
  /** With a time: ms since the epoch. */
  readonly untilMs?: number
  /** With a position: its sequence number. */
  readonly seq?: number
}

/** What a fold up to some point can begin with. */
export interface Snapshot {
  readonly from: 'record' | 'migration'
  readonly record: KeyRecord
  /** How many of the key's events it has behind it: these are not read again. */
  readonly version: number
  /** The last of them; of a migration none. */
  readonly last: Recorded | undefined
}

interface Source {
  readonly processor: Processor
  readonly log: Pick<EventLog, 'readKey'>
  readonly store: GroupStore
  readonly at: GroupPartition
}

/**
 * The nearest snapshot that is kept: the record of the key when its last event is within the bounds, else what it was
 * taken over with, if that was known at the time that is asked for. The record begins with the latter.
 */
export async function nearestSnapshot(
  source: Source,
  key: string,
  bounds: Bounds,
): Promise<Snapshot | undefined> {
  const { processor, store, at } = source
  const entry = processor.state && (await store.migrations(at, [key])).get(key)
  if (entry === undefined) return keptRecord(source, key, bounds)
  // The record can be taken over before any event is in it: its number is that of the event before then.
  if (!isKnown(entry, bounds)) return undefined
  const record = recordOfMigration(processor, entry)
  return (await keptRecord(source, key, bounds)) ?? { from: 'migration', record, version: 0, last: undefined }
}

/** From the event on that led to it, and from the time on that it is told up to. */
function isKnown({ seq, id, asOf, atMs }: MigratedKey, bounds: Bounds): boolean {
  if (bounds.seq !== undefined)
    return seq <= bounds.seq || (asOf !== undefined && 'seq' in asOf && asOf.seq <= bounds.seq)
  if (bounds.untilMs === undefined) return true
  const ledMs = id === undefined ? atMs : recordedMsOf(id)
  return ledMs <= bounds.untilMs || (asOf !== undefined && 'ms' in asOf && asOf.ms <= bounds.untilMs)
}

/** The record that the group keeps of the key, when its last event is within the bounds. */
async function keptRecord(
  { processor, log, store, at }: Source,
  key: string,
  { within }: Bounds,
): Promise<Snapshot | undefined> {
  const [stored] = await store.loadStates(at, [key])
  // With events set aside it has more events behind it than its number says, or fewer.
  if (!stored?.state || isDropped(stored.state) || stored.parked || stored.deferred.length > 0)
    return undefined
  const { seq } = stored.state
  const pageEvents = 500
  // From the end: what is asked for most is the present.
  for (let end = (await log.readKey(at.topic, key, { limit: 1 })).version; end > 0; end -= pageEvents) {
    const afterVersion = Math.max(0, end - pageEvents)
    const { events } = await log.readKey(at.topic, key, { afterVersion, limit: end - afterVersion })
    const found = events.findIndex(({ position }) => position.seq === seq)
    const last = events[found]
    if (last) {
      if (!within(last)) return undefined
      const record = decodeRecord(processor, stored.state)
      return { from: 'record', record, version: afterVersion + found + 1, last }
    }
  }
  return undefined
}

/** The last events of a key up to some point, in order: found by halving, however long its history is. */
export async function lastEvents(
  log: Pick<EventLog, 'readKey'>,
  topic: Topic,
  key: string,
  { within }: Bounds,
  most: number,
): Promise<readonly Recorded[]> {
  if (most === 0) return []
  let [low, high] = [0, (await log.readKey(topic, key, { limit: 1 })).version]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const { events } = await log.readKey(topic, key, { afterVersion: middle, limit: 1 })
    const [event] = events
    if (event !== undefined && within(event)) low = middle + 1
    else high = middle
  }
  if (low === 0) return []
  const afterVersion = Math.max(0, low - most)
  const { events } = await log.readKey(topic, key, { afterVersion, limit: low - afterVersion })
  return events
}
