import { type Clock, MillraceError, partitionOfKey, systemClock, type Topic } from '@millrace/event'
import { type EventLog, type Position, type Recorded, recordedMsOf } from '@millrace/log'
import type { GroupPartition, GroupStore } from '../group-store.ts'
import { systemTimers, type Timers } from '../lane/timers.ts'
import { decodeRecord, type KeyRecord } from '../model/key-record.ts'
import type { Processor } from '../model/processor.ts'
import { hurried } from './hurried-timers.ts'
import { foldHistory } from './key-history.ts'

/** Where and when a state is asked for. */
export interface StateAtOptions {
  readonly log: Pick<EventLog, 'readKey'>
  /**
   * The store of the group: what it has parked, deferred, given up or ruled is heeded, its timers fire, and its own
   * record of the key is used where it is not too late. Default: none; every event is folded, no timer fires.
   */
  readonly store?: GroupStore
  readonly key: string
  /** Everything up to this event, of whatever key of the partition. Default: everything that is on the log. */
  readonly position?: Position
  /** Everything that was recorded up to this time: a date, or ISO 8601. Not together with `position`. */
  readonly time?: Date | string
  readonly clock?: Clock
  readonly timers?: Timers
}

/** What the state of a key was. */
export interface StateThen<S> {
  /** The initial state when nothing was folded yet. */
  readonly state: S
  /** The last event of the key up to then; undefined: there was none. */
  readonly position: Position | undefined
  /** What the fold began with: the record that the group keeps of the key, or nothing. */
  readonly from: 'record' | 'beginning'
  /** Events up to then that the group has not handled, and why: parked, deferred, dead, requeued. */
  readonly leftOut: readonly { readonly seq: number; readonly why: string }[]
}

const attempts = 3

/**
 * The state of a key as it was: the fold of its events up to then by the present program, without emits or effects.
 * A page of events is in memory, however long the history is. A handler that asks the outside asks it again.
 *
 * No snapshots are kept beside the one record that the group has of the key: it serves for times behind its last
 * event, and anything earlier is folded from the key's first event on.
 *
 * @throws MillraceError `position.invalid`, `replay.failed`, `state.invalid`; those of reading
 */
export async function stateAt<T extends Topic, S>(
  processor: Processor<T, S>,
  options: StateAtOptions,
): Promise<StateThen<S>> {
  const { key, log, store, clock = systemClock, timers = systemTimers } = options
  const plain = processor as Processor<Topic, unknown> as Processor
  const at = {
    topic: processor.topic,
    partition: partitionOfKey(processor.topic, key),
    group: processor.name,
  }
  const within = bounds(options, at)
  const given = {
    ...{ processor: plain, clock, timers: hurried(timers), attempts, log },
    live: store && { store, at },
  }
  const kept = store && (await keptRecord(plain, { log, store }, at, key, within))
  const { record, last, out } = await foldHistory(
    given,
    key,
    { within, ...(kept ? { afterVersion: kept.version } : {}) },
    kept?.record,
  )
  return {
    // What was folded is what the state's definition says.
    state: (record.state ?? plain.state?.initial(key)) as S,
    position: (last ?? kept?.last)?.position,
    from: kept ? 'record' : 'beginning',
    leftOut: out.map(({ recorded, why }) => ({ seq: recorded.position.seq, why })),
  }
}

function bounds(
  { position, time }: Pick<StateAtOptions, 'position' | 'time'>,
  { topic, partition }: GroupPartition,
): (recorded: Recorded) => boolean {
  if (position !== undefined && time !== undefined)
    throw new TypeError('A state is asked for at a position or at a time, not at both')
  if (position !== undefined) {
    if (position.topic !== topic.name || position.partition !== partition)
      throw new MillraceError(
        'position.invalid',
        `The key lies in ${topic.name}/${partition}, not in ${position.topic}/${position.partition}`,
      )
    return (recorded) => recorded.position.seq <= position.seq
  }
  if (time === undefined) return () => true
  const untilMs = typeof time === 'string' ? Date.parse(time) : time.getTime()
  if (!Number.isFinite(untilMs)) throw new MillraceError('position.invalid', `"${String(time)}" is no time`)
  return (recorded) => recordedMsOf(recorded.position.id) <= untilMs
}

interface Kept {
  readonly record: KeyRecord
  /** How many of the key's events it has behind it. */
  readonly version: number
  readonly last: Recorded
}

/** The record that the group keeps of the key, when its last event is within the bounds. */
async function keptRecord(
  processor: Processor,
  { log, store }: { readonly log: Pick<EventLog, 'readKey'>; readonly store: GroupStore },
  at: GroupPartition,
  key: string,
  within: (recorded: Recorded) => boolean,
): Promise<Kept | undefined> {
  const [stored] = await store.loadStates(at, [key])
  // With events set aside it has more events behind it than its number says, or fewer.
  if (!stored?.state || stored.parked || stored.deferred.length > 0) return undefined
  const { seq } = stored.state
  const pageEvents = 500
  // From the end: what is asked for most is the present.
  for (let end = (await log.readKey(at.topic, key, { limit: 1 })).version; end > 0; end -= pageEvents) {
    const afterVersion = Math.max(0, end - pageEvents)
    const { events } = await log.readKey(at.topic, key, { afterVersion, limit: end - afterVersion })
    const found = events.findIndex(({ position }) => position.seq === seq)
    const last = events[found]
    if (last) {
      const record = decodeRecord(processor, stored.state)
      return within(last) ? { record, version: afterVersion + found + 1, last } : undefined
    }
  }
  return undefined
}
