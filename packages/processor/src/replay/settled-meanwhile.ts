import type { Recorded } from '@millrace/log'
import type { DeferredEvent } from '../deferred-event.ts'
import type { GroupPartition } from '../group-store.ts'
import { decodeRecord, emptyRecord } from '../model/key-record.ts'
import { changeOf } from './key-change.ts'
import { foldHistory } from './key-history.ts'
import { decisionsOn } from './left-out.ts'
import { isOwn, notFolded } from './not-folded.ts'
import type { ReplayPartition } from './replay-partition.ts'
import type { ReplaySettings } from './replay-settings.ts'

const pageKeys = 100

/** An event that the live generation has handled and the program that replays has not. */
export interface OwnDecision {
  readonly partition: number
  readonly key: string
  readonly seq: number
  readonly type: string
  readonly why: string
}

/**
 * Folds each key anew of which the live generation has settled what it had not when the replay came by. Answers what
 * is not folded although the live generation has handled it: the program's own decisions.
 */
export async function settleMeanwhile(
  settings: ReplaySettings,
  partition: ReplayPartition,
): Promise<readonly OwnDecision[]> {
  const { store, signal } = settings
  const own: OwnDecision[] = []
  for (let after: string | undefined; ;) {
    const options = { limit: pageKeys, ...(after === undefined ? {} : { after }) }
    const { items, next } = await store.deferredKeys(partition.lease.at, options)
    for (const { key, events } of items) {
      signal?.throwIfAborted()
      await partition.lease.keep()
      const left = (await isAsItWas(settings, partition.live, key, events))
        ? events
        : await foldAnew(settings, partition, key, events)
      for (const { seq, type, why } of left.filter(isOwn))
        own.push({ partition: partition.live.partition, key, seq, type, why })
    }
    if (next === undefined) return own
    after = next
  }
}

/** Whether the live generation has still not handled any of them. */
async function isAsItWas(
  { store }: ReplaySettings,
  live: GroupPartition,
  key: string,
  events: readonly DeferredEvent[],
): Promise<boolean> {
  if (events.some(isOwn)) return false
  for (let from = 0; from < events.length; from += 1_000) {
    const some = events.slice(from, from + 1_000)
    const { out } = await decisionsOn(
      store,
      live,
      some.map(({ seq }) => ({ key, seq })),
    )
    if (some.some(({ seq }) => !out.has(seq))) return false
  }
  return true
}

/** Folds a key from its first event, and puts the result into the place of its record. */
async function foldAnew(
  settings: ReplaySettings,
  partition: ReplayPartition,
  key: string,
  before: readonly DeferredEvent[],
): Promise<readonly DeferredEvent[]> {
  const { store, log, processor, clock } = settings
  const { lease, live } = partition
  const ahead = new Set(lease.ahead)
  const within = ({ position: { seq } }: Recorded) => seq <= lease.position.seq || ahead.has(seq)
  const given = { ...partition.fold, log, live: { store, at: live } }
  const folded = await foldHistory(given, key, { within })
  const [stored] = await store.loadStates(lease.at, [key])
  const record = stored?.state ? decodeRecord(processor, stored.state) : emptyRecord
  const seq = folded.last?.position.seq ?? 0
  const change = changeOf(processor, key, seq, record, folded.record)
  const out = folded.out.map(({ recorded: { event, position }, why }) => ({
    ...{ seq: position.seq, id: position.id, type: event.type, eventId: event.id },
    ...{ why: `${why} in the live generation`, sinceMs: clock.now() },
  }))
  const events = notFolded([], out, folded)
  await lease.commit({
    states: change.state ? [change.state] : [],
    timers: change.timers,
    defers: before.length > 0 || events.length > 0 ? [{ key, events }] : [],
  })
  partition.forget(key)
  return events
}
