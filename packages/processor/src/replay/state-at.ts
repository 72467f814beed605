import { type Clock, MillraceError, partitionOfKey, systemClock, type Topic } from '@millrace/event'
import { type EventLog, type Position, recordedMsOf } from '@millrace/log'
import type { GroupPartition, GroupStore } from '../group-store.ts'
import { systemTimers, type Timers } from '../lane/timers.ts'
import type { Processor } from '../model/processor.ts'
import { hurried } from './hurried-timers.ts'
import { emptyRecord } from '../model/key-record.ts'
import { asOfOf } from '../model/taken-over.ts'
import type { AsOf } from '../migrated-key.ts'
import { foldHistory } from './key-history.ts'
import { type Bounds, lastEvents, nearestSnapshot } from './snapshot.ts'

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
  /** How many of the events that led there are answered, at most 1,000. Default 0: none are read for that. */
  readonly events?: number
  readonly clock?: Clock
  readonly timers?: Timers
}

/** An event that led to a state. */
export interface LedEvent {
  readonly position: Position
  readonly id: string
  readonly type: string
  readonly time: string
}

/** What the state of a key was. */
export interface StateThen<S> {
  /** The initial state when nothing was folded yet. */
  readonly state: S
  /** The last event of the key up to then; undefined: there was none. */
  readonly position: Position | undefined
  /** What the fold began with: the record that the group keeps of the key, what it was taken over with, or nothing. */
  readonly from: 'record' | 'migration' | 'beginning'
  /** Up to when the state is told that the key was taken over with; undefined: it was not, or not yet. */
  readonly asOf: AsOf | undefined
  /** The last events that led there, in order, as many as were asked for. */
  readonly events: readonly LedEvent[]
  /** Events up to then that the group has not handled, and why: parked, deferred, dead, requeued. */
  readonly leftOut: readonly { readonly seq: number; readonly why: string }[]
}

const attempts = 3

/**
 * The state of a key as it was: the fold of its events up to then by the present program, without emits or effects, on
 * top of the nearest snapshot that is kept. A page of events is in memory, however long the history is. A handler that
 * asks the outside asks it again.
 *
 * Snapshots are the one record that the group has of the key, for times behind its last event, and what it was taken
 * over with, from the event on that led to that or the time that it is told up to. Anything earlier is folded from the
 * key's first event on.
 *
 * @throws MillraceError `position.invalid`, `replay.failed`, `state.invalid`; those of reading
 */
export async function stateAt<T extends Topic, S>(
  processor: Processor<T, S>,
  options: StateAtOptions,
): Promise<StateThen<S>> {
  const { key, log, store, clock = systemClock, timers = systemTimers, events: most = 0 } = options
  const plain = processor as Processor<Topic, unknown> as Processor
  const { topic } = processor
  const at = { topic, partition: partitionOfKey(topic, key), group: processor.name }
  const bounds = boundsOf(options, at)
  const given = {
    ...{ processor: plain, clock, timers: hurried(timers), attempts, log },
    live: store && { store, at },
  }
  const snapshot = store && (await nearestSnapshot({ processor: plain, log, store, at }, key, bounds))
  const { record, last, out } = await foldHistory(
    given,
    key,
    { within: bounds.within, afterVersion: snapshot?.version ?? 0 },
    snapshot?.record ?? emptyRecord,
  )
  const led = await lastEvents(log, topic, key, bounds, Math.min(most, 1_000))
  return {
    // What was folded is what the state's definition says.
    state: (record.state ?? plain.state?.initial(key)) as S,
    position: (last ?? snapshot?.last)?.position,
    from: snapshot?.from ?? 'beginning',
    asOf: asOfOf(record),
    events: led.map(({ event: { id, type, time }, position }) => ({ position, id, type, time })),
    leftOut: out.map(({ recorded, why }) => ({ seq: recorded.position.seq, why })),
  }
}

function boundsOf(
  { position, time }: Pick<StateAtOptions, 'position' | 'time'>,
  { topic, partition }: GroupPartition,
): Bounds {
  if (position !== undefined && time !== undefined)
    throw new TypeError('A state is asked for at a position or at a time, not at both')
  if (position !== undefined) {
    const { seq } = position
    if (position.topic !== topic.name || position.partition !== partition)
      throw new MillraceError(
        'position.invalid',
        `The key lies in ${topic.name}/${partition}, not in ${position.topic}/${position.partition}`,
      )
    return { seq, within: (recorded) => recorded.position.seq <= seq }
  }
  if (time === undefined) return { within: () => true }
  const untilMs = typeof time === 'string' ? Date.parse(time) : time.getTime()
  if (!Number.isFinite(untilMs)) throw new MillraceError('position.invalid', `"${String(time)}" is no time`)
  return { untilMs, within: (recorded) => recordedMsOf(recorded.position.id) <= untilMs }
}
