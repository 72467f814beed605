import { freshId } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { askElsewhere } from '../engine/ask-elsewhere.ts'
import type { GroupPartition, GroupStore } from '../group-store.ts'
import type { Timers } from '../lane/timers.ts'
import type { ForeignLoad } from '../model/first-touch.ts'
import { decodeRecord } from '../model/key-record.ts'
import type { Processor } from '../model/processor.ts'
import type { Comparison } from '../model/shadow.ts'
import { jsonDifferences } from '../replay/json-difference.ts'
import { lastEvents } from '../replay/snapshot.ts'
import type { LedEvent } from '../replay/state-at.ts'
import { isDropped } from './dropped-mark.ts'

/** One field of a key that two systems have differently. */
export interface FieldDifference {
  readonly field: string
  /** As this group has folded it. */
  readonly here: unknown
  /** As the other system answers; undefined: it has no such field. */
  readonly there: unknown
}

/** A key of which two systems say something different. */
export interface ShadowDifference {
  readonly key: string
  readonly partition: number
  readonly fields: readonly FieldDifference[]
  /** What of the key this group has not handled, which may be why. */
  readonly waits: 'parked' | 'deferred' | undefined
  /** The last events of the key, which led here. */
  readonly events: readonly LedEvent[]
}

/** How the comparison of one key ended. */
export type KeyComparison =
  | { readonly status: 'same'; readonly fields: readonly string[] }
  | { readonly status: 'different'; readonly difference: ShadowDifference }
  /** It has changed here while it was compared. */
  | { readonly status: 'moved' }
  /** This group has nothing of it yet. */
  | { readonly status: 'untouched' }

/** What the comparison of keys works with. */
export interface CompareSettings {
  readonly processor: Processor
  readonly comparison: Comparison<unknown>
  readonly load: ForeignLoad<unknown>
  readonly timeoutMs: number
  readonly log: Pick<EventLog, 'readKey'>
  readonly store: GroupStore
  readonly timers: Timers
  readonly signal: AbortSignal
  /** How long a key rests between two looks, in ms. */
  readonly settleMs: number
  /** How many of its events are told. */
  readonly events: number
}

interface Look {
  readonly seq: number
  readonly waits: ShadowDifference['waits']
  readonly names: readonly string[]
  readonly fields: readonly FieldDifference[]
}

/**
 * Compares one key. What differs must differ twice, with nothing of it handled in between: the two systems hear of an
 * event at different times.
 */
export async function compareKey(
  settings: CompareSettings,
  at: GroupPartition,
  key: string,
): Promise<KeyComparison> {
  const first = await look(settings, at, key)
  if (first === undefined) return { status: 'untouched' }
  if (first.fields.length === 0) return { status: 'same', fields: first.names }
  await new Promise<void>((resolve) => settings.timers.set(settings.settleMs, resolve))
  settings.signal.throwIfAborted()
  const second = await look(settings, at, key)
  if (second === undefined) return { status: 'untouched' }
  const before = new Set(first.fields.map(({ field }) => field))
  const fields = second.fields.filter(({ field }) => before.has(field))
  if (second.fields.length === 0) return { status: 'same', fields: second.names }
  if (fields.length === 0 || second.seq !== first.seq) return { status: 'moved' }
  const led = await lastEvents(settings.log, at.topic, key, { within: () => true }, settings.events)
  const events = led.map(({ event: { id, type, time }, position }) => ({ position, id, type, time }))
  const { waits } = second
  return { status: 'different', difference: { key, partition: at.partition, fields, waits, events } }
}

async function look(
  { processor, comparison, load, timeoutMs, store, timers, signal }: CompareSettings,
  at: GroupPartition,
  key: string,
): Promise<Look | undefined> {
  const [stored] = await store.loadStates(at, [key])
  if (stored?.state === undefined || isDropped(stored.state)) return undefined
  const initial = () => processor.state?.initial(key)
  const here = fieldsOf(comparison, decodeRecord(processor, stored.state).state ?? initial())
  const answer = await askElsewhere({ load, timeoutMs, timers }, { key, correlationId: freshId(), signal })
  const there = fieldsOf(comparison, answer === undefined ? initial() : answer.state)
  const names = [...new Set([...Object.keys(here), ...Object.keys(there)])]
  const fields = names.flatMap((field): FieldDifference[] =>
    jsonDifferences(here[field], there[field], 1).length === 0
      ? []
      : [{ field, here: here[field], there: there[field] }],
  )
  const waits = stored.parked ? 'parked' : stored.deferred.length > 0 ? 'deferred' : undefined
  return { seq: stored.state.seq, waits, names, fields }
}

function fieldsOf(comparison: Comparison<unknown>, state: unknown): Readonly<Record<string, unknown>> {
  return JSON.parse(JSON.stringify(comparison.fields(state))) as Readonly<Record<string, unknown>>
}
