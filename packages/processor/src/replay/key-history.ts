import type { EventLog, Recorded } from '@millrace/log'
import type { GroupPartition, GroupStore } from '../group-store.ts'
import type { JournalledFiring } from '../key-timer.ts'
import type { KeyRecord } from '../model/key-record.ts'
import { beginningsOf } from './beginnings.ts'
import type { Processor } from '../model/processor.ts'
import { type FoldSettings, KeyFold } from './key-fold.ts'
import { type LateEvent, LateRuns } from './late-runs.ts'
import { asRuled, decisionsOn, lateRunOf, placeOf } from './left-out.ts'

/** What of a key's history is folded. */
export interface HistoryRange {
  /** How many of the key's first events are left out, because the record has them. Default 0. */
  readonly afterVersion?: number
  /** Events up to this sequence number are left out as well. Default 0. */
  readonly afterSeq?: number
  /** Whether the fold goes on to this event. */
  readonly within: (recorded: Recorded) => boolean
}

/** What a fold of a key's history came to. */
export interface FoldedKey {
  readonly record: KeyRecord
  /** The last event within the range, folded or left out. */
  readonly last: Recorded | undefined
  /** Events within the range that the live generation has not handled, and why. */
  readonly out: readonly { readonly recorded: Recorded; readonly why: string }[]
  /** Events that the program itself has set aside, or given up. */
  readonly deferred: readonly Recorded[]
  readonly dead: readonly Recorded[]
}

const pageEvents = 500

/**
 * Folds the history of one key, page by page: without what the live generation has parked, deferred or given up, with
 * what operators have ruled, and with late runs and journalled firings in their places.
 *
 * @param live The group whose decisions count; undefined: every event is folded, and no timer fires.
 * @param record What the fold begins with. Default: what the key was taken over with, if it was.
 */
export async function foldHistory(
  given: FoldSettings & {
    readonly log: Pick<EventLog, 'readKey'>
    readonly live: { readonly store: GroupStore; readonly at: GroupPartition } | undefined
  },
  key: string,
  range: HistoryRange,
  record?: KeyRecord,
): Promise<FoldedKey> {
  const { log, live, processor } = given
  const begun =
    live && record === undefined ? await beginningsOf(processor, live.store, live.at, [key]) : undefined
  const fold = new KeyFold(given, key, record ?? begun?.get(key))
  const allOut: { readonly recorded: Recorded; readonly why: string }[] = []
  const late = new LateRuns()
  let last: Recorded | undefined
  try {
    for (let version = range.afterVersion ?? 0; ;) {
      const page = await log.readKey(processor.topic, key, { afterVersion: version, limit: pageEvents })
      version += page.events.length
      const end = page.events.findIndex((recorded) => !range.within(recorded))
      const events = (end < 0 ? page.events : page.events.slice(0, end))
        .filter(isFor(processor))
        .filter(({ position }) => position.seq > (range.afterSeq ?? 0))
      last = events.at(-1) ?? last
      const decisions = live && (await decisionsOn(live.store, live.at, events.map(placeOf)))
      for (const recorded of events) {
        const { seq } = recorded.position
        await foldLate(fold, late.before(seq))
        const why = decisions?.out.get(seq)
        const ruling = decisions?.rulings.get(seq)
        const ruled = asRuled(processor, recorded, ruling)
        const ran = lateRunOf(ruling)
        if (why !== undefined) allOut.push({ recorded, why })
        else if (ruled !== undefined && ran !== undefined) late.add({ recorded, ruled, ran })
        else if (ruled !== undefined) await fold.take(ruled)
        if (live) await fireAfter(live, processor, { fold, late }, seq)
      }
      await fold.settled()
      if (end < 0 && page.events.length > 0 && version < page.version) continue
      await foldLate(fold, late.before(page.events[end]?.position.seq ?? Number.POSITIVE_INFINITY))
      await fold.settled()
      for (const { recorded } of late.rest) allOut.push({ recorded, why: 'handled late' })
      break
    }
    return { record: fold.record, last, out: allOut, deferred: fold.deferred, dead: fold.dead }
  } finally {
    fold.close()
  }
}

/** The types that a processor handles. */
export function isFor({ types }: Processor): (recorded: Recorded) => boolean {
  return ({ event }) => types === undefined || types.has(event.type)
}

/** Timers fire only where there are some, and only pipelines have them. */
async function fireAfter(
  live: { readonly store: Pick<GroupStore, 'firings'>; readonly at: GroupPartition },
  { program }: Processor,
  { fold, late }: { readonly fold: KeyFold; readonly late: LateRuns },
  seq: number,
): Promise<void> {
  if (program.kind === 'handler') return
  await fold.settled()
  const expected = Object.values(fold.record.ops).some(({ timer }) => timer !== undefined)
  if (!expected && !late.isWaiting) return
  for (const { name, dueMs, no } of await firingsAt(live.store, live.at, seq)) {
    await foldLate(fold, late.before(seq, no))
    fold.fire({ name, dueMs })
  }
}

async function foldLate(fold: KeyFold, events: readonly LateEvent[]): Promise<void> {
  for (const { ruled } of events) await fold.take(ruled, 'late')
}

/** The journalled firings that came right after an event, in order. */
export async function firingsAt(
  store: Pick<GroupStore, 'firings'>,
  at: GroupPartition,
  seq: number,
): Promise<readonly JournalledFiring[]> {
  const found: JournalledFiring[] = []
  for (let after: string | undefined; ;) {
    const { items, next } = await store.firings(at, {
      ...(after === undefined ? {} : { after }),
      fromSeq: seq,
    })
    found.push(...items.filter(({ afterSeq }) => afterSeq === seq))
    if (next === undefined || items.some(({ afterSeq }) => afterSeq !== seq)) return found
    after = next
  }
}
