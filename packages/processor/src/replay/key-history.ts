import type { EventLog, Recorded } from '@millrace/log'
import type { GroupPartition, GroupStore } from '../group-store.ts'
import type { KeyTimer } from '../key-timer.ts'
import type { KeyRecord } from '../model/key-record.ts'
import type { Processor } from '../model/processor.ts'
import { type FoldSettings, KeyFold } from './key-fold.ts'
import { asRuled, decisionsOn, placeOf } from './left-out.ts'

/** What of a key's history is folded. */
export interface HistoryRange {
  /** How many of the key's first events are left out, because the record has them. Default 0. */
  readonly afterVersion?: number
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
 * what operators have ruled, and with journalled firings in their places.
 *
 * @param live The group whose decisions count; undefined: every event is folded, and no timer fires.
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
  const fold = new KeyFold(given, key, record)
  const allOut: { readonly recorded: Recorded; readonly why: string }[] = []
  let last: Recorded | undefined
  try {
    for (let version = range.afterVersion ?? 0; ;) {
      const page = await log.readKey(processor.topic, key, { afterVersion: version, limit: pageEvents })
      version += page.events.length
      const end = page.events.findIndex((recorded) => !range.within(recorded))
      const events = (end < 0 ? page.events : page.events.slice(0, end)).filter(isFor(processor))
      last = events.at(-1) ?? last
      const decisions = live && (await decisionsOn(live.store, live.at, events.map(placeOf)))
      for (const recorded of events) {
        const { seq } = recorded.position
        const why = decisions?.out.get(seq)
        const ruled = asRuled(processor, recorded, decisions?.rulings.get(seq))
        if (why !== undefined) allOut.push({ recorded, why })
        else if (ruled !== undefined) await fold.take(ruled)
        if (live) await fireAfter(live, processor, fold, seq)
      }
      await fold.settled()
      if (end >= 0 || page.events.length === 0 || version >= page.version) break
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
  fold: KeyFold,
  seq: number,
): Promise<void> {
  if (program.kind === 'handler') return
  await fold.settled()
  if (!Object.values(fold.record.ops).some(({ timer }) => timer !== undefined)) return
  for (const timer of await firingsAt(live.store, live.at, seq)) fold.fire(timer)
}

/** The journalled firings that came right after an event, in order. */
export async function firingsAt(
  store: Pick<GroupStore, 'firings'>,
  at: GroupPartition,
  seq: number,
): Promise<readonly KeyTimer[]> {
  const found: KeyTimer[] = []
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
