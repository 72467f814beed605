import { type Event, versionOf } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import type { GroupPartition, GroupStore } from '../group-store.ts'
import type { Processor } from '../model/processor.ts'
import type { JournalledLateRun, Ruling } from '../ruling.ts'

const mostKeys = 1_000

/** What the live generation has decided about events, beside having handled them. */
export interface Decisions {
  /** Why it has not handled them, by their seq: they are left out of what is folded. */
  readonly out: ReadonlyMap<number, string>
  /** What operators have decided about the others. */
  readonly rulings: ReadonlyMap<number, Ruling>
}

/** An event, by its key and number. */
export interface EventPlace {
  readonly key: string
  readonly seq: number
}

export function placeOf({ event, position }: Recorded): EventPlace {
  return { key: event.subject, seq: position.seq }
}

/** Reads what the live generation says of events of one partition, which are in order; at most 1,000. */
export async function decisionsOn(
  store: Pick<GroupStore, 'loadStates' | 'deadLetters' | 'rulings' | 'requeued'>,
  at: GroupPartition,
  events: readonly EventPlace[],
): Promise<Decisions> {
  const out = new Map<number, string>()
  const [first, last] = [events[0]?.seq, events.at(-1)?.seq]
  if (first === undefined || last === undefined) return { out, rulings: new Map() }
  const seqs = events.map(({ seq }) => seq)
  const [, , , rulings] = await Promise.all([
    addLists(store, at, events, out),
    addDead(store, at, { first, last }, out),
    addRequeued(store, at, { first, last }, out),
    store.rulings(at, seqs),
  ])
  await addBuriedAgain(store, at, rulings, out)
  return { out, rulings }
}

/** Where in its key's history a dead letter was handled that was put back; undefined: in its own place, if at all. */
export function lateRunOf(ruling: Ruling | undefined): JournalledLateRun | undefined {
  return ruling?.of === 'dead' && ruling.kind !== 'ignored' ? ruling.ran : undefined
}

/** The event as an operator's ruling leaves it; undefined: it is ignored. */
export function asRuled(
  { topic, asStored }: Processor,
  recorded: Recorded,
  ruling: Ruling | undefined,
): Recorded | undefined {
  if (ruling?.kind === 'ignored') return undefined
  if (ruling?.kind !== 'corrected') return recorded
  const version = asStored ? recorded.event.dataversion : versionOf(topic, recorded.event.type)
  const event: Event = { ...recorded.event, data: ruling.data, correctionof: recorded.event.id }
  return {
    event: version === undefined || version === 1 ? event : { ...event, dataversion: version },
    position: recorded.position,
  }
}

async function addLists(
  store: Pick<GroupStore, 'loadStates'>,
  at: GroupPartition,
  events: readonly EventPlace[],
  out: Map<number, string>,
): Promise<void> {
  const keys = [...new Set(events.map(({ key }) => key))]
  const heads = new Map<string, number>()
  for (let from = 0; from < keys.length; from += mostKeys)
    for (const { key, parked, deferred } of await store.loadStates(at, keys.slice(from, from + mostKeys))) {
      if (parked) heads.set(key, parked.head)
      for (const { seq } of deferred) out.set(seq, 'deferred')
    }
  for (const { key, seq } of events)
    if (seq >= (heads.get(key) ?? Number.POSITIVE_INFINITY)) out.set(seq, 'parked')
}

async function addDead(
  store: Pick<GroupStore, 'deadLetters'>,
  at: GroupPartition,
  range: { readonly first: number; readonly last: number },
  out: Map<number, string>,
): Promise<void> {
  for (let after = range.first - 1; after < range.last;) {
    const letters = await store.deadLetters(at, { after, limit: 500 })
    for (const { seq } of letters) if (seq <= range.last) out.set(seq, 'dead')
    if (letters.length < 500) return
    after = letters.at(-1)?.seq ?? range.last
  }
}

/**
 * The lists are read one after the other. A letter whose late run has failed in between was in neither: its ruling, which
 * says of no run, makes for a second look.
 */
async function addBuriedAgain(
  store: Pick<GroupStore, 'deadLetters'>,
  at: GroupPartition,
  rulings: ReadonlyMap<number, Ruling>,
  out: Map<number, string>,
): Promise<void> {
  const waiting = [...rulings].flatMap(([seq, { of, kind, ran }]) =>
    of === 'dead' && kind !== 'ignored' && ran === undefined && !out.has(seq) ? [seq] : [],
  )
  const [first, last] = [Math.min(...waiting), Math.max(...waiting)]
  if (waiting.length > 0) await addDead(store, at, { first, last }, out)
}

/** A letter that waits for its late run is not handled yet. */
async function addRequeued(
  store: Pick<GroupStore, 'requeued'>,
  at: GroupPartition,
  range: { readonly first: number; readonly last: number },
  out: Map<number, string>,
): Promise<void> {
  for (let after: string | undefined = String(range.first - 1); after !== undefined;) {
    const { items, next } = await store.requeued(at, { after, limit: 500 })
    for (const { seq } of items) if (seq <= range.last) out.set(seq, 'requeued')
    after = (items.at(-1)?.seq ?? range.last) < range.last ? next : undefined
  }
}
