import type { EventLog, Recorded } from '@millrace/log'
import type { DeferredEvent } from '../deferred-event.ts'
import type { GroupPartition, GroupStore, Reached } from '../group-store.ts'
import type { KeyTimer } from '../key-timer.ts'
import type { Processor } from '../model/processor.ts'
import { isFor } from './key-history.ts'
import { asRuled, decisionsOn, lateRunOf, placeOf } from './left-out.ts'

/** What a key is to fold next. */
export type ReplayItem = { readonly recorded: Recorded } | { readonly timer: KeyTimer }

/** A page of the log as a replay takes it in. */
export interface ReplayPage {
  /** The last event of it. */
  readonly last: Reached
  readonly events: number
  /** What each key is to fold, in order. */
  readonly items: ReadonlyMap<string, readonly ReplayItem[]>
  /** Events that the live generation has not handled, by key, in order. */
  readonly out: ReadonlyMap<string, readonly DeferredEvent[]>
}

/** How far a page may go. */
export interface PageEnd {
  readonly seq: number
  /** Events that are folded already. */
  readonly known?: ReadonlySet<number>
  /** No others than these. */
  readonly only?: ReadonlySet<number>
}

interface Source {
  readonly processor: Processor
  readonly log: Pick<EventLog, 'read'>
  readonly store: GroupStore
  /** The live generation. */
  readonly at: GroupPartition
  readonly nowMs: number
}

/**
 * Reads the next page up to an event that the live generation has settled, with what it has decided on each and which
 * timers it has fired in between. Undefined: there is nothing up to there.
 */
export async function readPage(
  source: Source,
  from: Reached,
  to: PageEnd,
  limit: number,
): Promise<ReplayPage | undefined> {
  const { processor, log, store, at } = source
  const answer = await log.read(at.topic, new Map([[at.partition, from.id]]), { limit })
  const all = (answer.get(at.partition) ?? [])
    .slice(0, limit)
    .filter(({ position }) => position.seq <= to.seq)
  const last = all.at(-1)?.position
  if (last === undefined) return undefined
  const events = all
    .filter(isFor(processor))
    .filter(({ position: { seq } }) => !to.known?.has(seq) && (to.only?.has(seq) ?? true))
  const [decisions, firings] = await Promise.all([
    decisionsOn(store, at, events.map(placeOf)),
    processor.program.kind === 'handler' ? new Map<number, KeyTimer[]>() : firingsOf(source, events),
  ])
  const items = new Map<string, ReplayItem[]>()
  const out = new Map<string, DeferredEvent[]>()
  for (const recorded of events) {
    const { event, position } = recorded
    const ruling = decisions.rulings.get(position.seq)
    // Where a late run belongs is found when the key is folded anew.
    const why = decisions.out.get(position.seq) ?? (lateRunOf(ruling) && 'handled late')
    const ruled = asRuled(processor, recorded, ruling)
    if (why !== undefined) push(out, event.subject, leftOut(recorded, why, source.nowMs))
    else if (ruled !== undefined) push(items, event.subject, { recorded: ruled })
    for (const timer of firings.get(position.seq) ?? []) push(items, timer.key, { timer })
  }
  return { last: { id: last.id, seq: last.seq }, events: all.length, items, out }
}

/** The journalled firings that came after one of these events, by its seq. */
async function firingsOf(
  { store, at }: Source,
  events: readonly Recorded[],
): Promise<ReadonlyMap<number, readonly KeyTimer[]>> {
  const found = new Map<number, KeyTimer[]>()
  const [fromSeq, lastSeq] = [events[0]?.position.seq ?? 0, events.at(-1)?.position.seq ?? 0]
  for (let after: string | undefined; ;) {
    const page = await store.firings(at, { ...(after === undefined ? {} : { after }), fromSeq, limit: 500 })
    for (const { key, name, dueMs, afterSeq } of page.items) push(found, afterSeq, { key, name, dueMs })
    if (page.next === undefined || (page.items.at(-1)?.afterSeq ?? 0) > lastSeq) return found
    after = page.next
  }
}

function leftOut({ event, position }: Recorded, why: string, sinceMs: number): DeferredEvent {
  const { id, seq } = position
  return { seq, id, type: event.type, eventId: event.id, why: `${why} in the live generation`, sinceMs }
}

function push<K, V>(into: Map<K, V[]>, key: K, value: V): void {
  const list = into.get(key)
  if (list) list.push(value)
  else into.set(key, [value])
}
