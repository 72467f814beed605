import { MillraceError } from '@millrace/event'
import type { KeyTimer } from '../key-timer.ts'
import { decodeRecord, emptyRecord } from '../model/key-record.ts'
import { mostOwnFirings } from './generations.ts'
import { changeOf } from './key-change.ts'
import { KeyFold } from './key-fold.ts'
import { firingsAt } from './key-history.ts'
import type { ReplayPartition } from './replay-partition.ts'
import type { ReplaySettings } from './replay-settings.ts'

const most = 200

/**
 * Fires the timers of a generation that are due, when it stands at the very position of the live one, which nobody
 * moves meanwhile: those that the live one has fired since their last event, and those that it does not have. What the
 * live one is still to fire waits for it.
 */
export async function fireDue(settings: ReplaySettings, partition: ReplayPartition): Promise<void> {
  const { store, processor, clock, signal } = settings
  if (processor.program.kind === 'handler') return
  const { lease, live } = partition
  const waiting = new Set<string>()
  for (let fired = 0; ;) {
    signal?.throwIfAborted()
    await lease.keep()
    const nowMs = clock.now()
    const { timers } = await store.dueTimers(lease.at, nowMs, most + waiting.size)
    const fresh = timers.filter((timer) => !waiting.has(nameOf(timer)))
    if (fresh.length === 0) return
    // Of the live generation all are read that are due not later than the last of these.
    const lastMs = fresh.at(-1)?.dueMs ?? nowMs
    const [ofLive, parked] = await Promise.all([
      allDue(settings, partition, lastMs),
      parkedAmong(settings, partition, fresh),
    ])
    for (const timer of fresh)
      if (ofLive.has(nameOf(timer)) || parked.has(timer.key)) waiting.add(nameOf(timer))
      else fired += await fireOne(settings, partition, timer)
    if (fired > mostOwnFirings)
      throw new MillraceError(
        'replay.refused',
        `More than ${mostOwnFirings} timers are due in ${live.partition}`,
      )
  }
}

async function allDue(
  { store }: ReplaySettings,
  { live }: ReplayPartition,
  untilMs: number,
): Promise<ReadonlySet<string>> {
  for (let limit = 1_000; ; limit *= 4) {
    const { timers } = await store.dueTimers(live, untilMs, limit)
    if (timers.length < limit) return new Set(timers.map(nameOf))
  }
}

/** Timers of a parked key line up behind it, and are in no list meanwhile. */
async function parkedAmong(
  { store }: ReplaySettings,
  { live }: ReplayPartition,
  timers: readonly KeyTimer[],
): Promise<ReadonlySet<string>> {
  const keys = [...new Set(timers.map(({ key }) => key))]
  const parked = new Set<string>()
  for (let from = 0; from < keys.length; from += 1_000)
    for (const stored of await store.loadStates(live, keys.slice(from, from + 1_000)))
      if (stored.parked) parked.add(stored.key)
  return parked
}

/** Answers how many firings are new to the journal. */
async function fireOne(
  settings: ReplaySettings,
  partition: ReplayPartition,
  timer: KeyTimer,
): Promise<number> {
  const { store, processor } = settings
  const { lease, live, counted } = partition
  const { key, name, dueMs } = timer
  const [stored] = await store.loadStates(lease.at, [key])
  const before = stored?.state ? decodeRecord(processor, stored.state) : emptyRecord
  const fold = new KeyFold(counted, key, before)
  fold.fire(timer)
  await fold.settled()
  fold.close()
  await settings.emits?.settle()
  const afterSeq = await lastSeqOf(settings, partition, key, stored?.state?.seq ?? 0)
  const journal = await firingsAt(store, live, afterSeq)
  const known = journal.some((one) => one.key === key && one.name === name && one.dueMs === dueMs)
  const change = changeOf(processor, key, stored?.state?.seq ?? 0, before, fold.record)
  const timers = change.timers.length > 0 ? change.timers : [{ key, name, dueMs: undefined }]
  await lease.commit({
    states: change.state ? [change.state] : [],
    timers: known ? timers : timers.filter((one) => one.name !== name || one.dueMs !== undefined),
    firings: known ? [] : [{ key, name, dueMs, afterSeq }],
  })
  partition.forget(key)
  return known ? 0 : 1
}

/** The last event of a key up to the position: where the live generation says that a firing came after it. */
async function lastSeqOf(
  { log }: ReplaySettings,
  { lease, live }: ReplayPartition,
  key: string,
  atLeast: number,
): Promise<number> {
  const { version } = await log.readKey(live.topic, key, { limit: 1 })
  for (let end = version; end > 0; end -= 100) {
    const afterVersion = Math.max(0, end - 100)
    const { events } = await log.readKey(live.topic, key, { afterVersion, limit: end - afterVersion })
    const found = events.findLast(({ position }) => position.seq <= lease.position.seq)
    if (found) return Math.max(atLeast, found.position.seq)
  }
  return atLeast
}

function nameOf({ key, name, dueMs }: KeyTimer): string {
  return `${key}\n${name}\n${dueMs}`
}
