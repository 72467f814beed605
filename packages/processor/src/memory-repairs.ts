import type { KeyHistory, Page } from '@millrace/log'
import { digestOfData } from './check-rule.ts'
import {
  type DeadCount,
  type DeadCounts,
  type DeadFilter,
  type DeadItem,
  deadItemOf,
  deadPlace,
  fits,
  heldItemOf,
} from './dead-item.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { PageOptions } from './group-partition.ts'
import { deferredOf, parkedOf } from './memory-commit.ts'
import type { MemoryGroup } from './memory-group.ts'
import type { ParkedKey } from './parked-key.ts'
import type { Overtaken, RepairEntry, RuledOn, RuleRequest, RuleResult } from './repairs.ts'
import type { RequeuedEvent, Ruling } from './ruling.ts'
import { tellRuling } from './story/memory-stories.ts'

/** Rules in memory as rule.lua does on Redis, in the same order. `seqs`: the key's events on the log. */
export function ruleInMemory(
  group: MemoryGroup,
  request: RuleRequest,
  { seqs, nowMs, most }: { seqs: readonly number[]; nowMs: number; most: number },
): RuleResult {
  const { id, seq, key, kind, by, reason, data, parkNo } = request
  const digest = digestOfData(data)
  const parked = parkedOf(group, key)
  const text = group.rulings.get(seq)
  const stored = text === undefined ? undefined : (JSON.parse(text) as Ruling)
  const on = placeOfEvent(group, request, parked, seqs)
  const same = stored?.kind === kind && stored.digest === digest
  if (stored?.id === id) return { status: 'already' }
  if (on === undefined) return { status: same ? 'already' : 'gone' }
  if (on === 'late') return same || !stored ? { status: 'already' } : { status: 'pending', kind: stored.kind }
  if (parkNo !== undefined && on !== 'dead' && parked && parked.no !== parkNo)
    return { status: 'changed', parkNo: parked.no }
  if (same && (on === 'line' || (on === 'head' && group.parkedDue.has(key)))) return { status: 'already' }
  const overtaken = on === 'dead' && kind !== 'ignored' ? overtakenBy(group, seq, seqs) : undefined
  if (overtaken && !request.force && !request.dryRun) return { status: 'overtaken', overtaken }
  const result: RuleResult = { status: 'ruled', on, ...(overtaken ? { overtaken } : {}) }
  if (request.dryRun) return result
  const ruling: Ruling = {
    atMs: nowMs,
    of: on === 'dead' ? 'dead' : 'parked',
    kind,
    by,
    reason,
    id,
    digest,
    ...(kind === 'corrected' ? { data } : {}),
  }
  group.rulings.set(seq, JSON.stringify(ruling))
  group.repaired += 1
  const no = String(group.repaired)
  group.repairs.push({
    no,
    id,
    seq,
    key,
    kind,
    on,
    by,
    reason,
    atMs: nowMs,
    ...(overtaken ? { overtaken } : {}),
  })
  group.repairs.splice(0, group.repairs.length - most)
  // Later than a mark that is there, which an attempt under way answers; else before all others.
  if (on === 'head') group.parkedDue.set(key, (group.parkedDue.get(key) ?? -1) + 1)
  if (on === 'dead') move(group, seq, kind)
  tellRuling(group, { seq, kind, on, by, reason, id, atMs: nowMs })
  return result
}

function move(group: MemoryGroup, seq: number, kind: Ruling['kind']): void {
  const letter = group.dead.get(seq)
  group.dead.delete(seq)
  group.counts.dead -= 1
  if (kind === 'ignored') group.counts.done += 1
  else {
    group.counts.requeued += 1
    group.requeued.set(seq, letter ?? '')
  }
}

function placeOfEvent(
  group: MemoryGroup,
  { seq, key }: RuleRequest,
  parked: ParkedKey | undefined,
  seqs: readonly number[],
): RuledOn | 'late' | undefined {
  const letter = group.dead.get(seq)
  if (letter !== undefined) return (JSON.parse(letter) as DeadLetter).key === key ? 'dead' : undefined
  if (group.requeued.has(seq)) return 'late'
  if (!parked) return undefined
  if (seq === parked.head) return 'head'
  if (seq < parked.head || seq > parked.last || !seqs.includes(seq)) return undefined
  return deferredOf(group, key).some((one) => one.seq === seq) ? undefined : 'line'
}

function overtakenBy(group: MemoryGroup, seq: number, seqs: readonly number[]): Overtaken | undefined {
  const settled = Math.max(group.position.seq, group.ahead.at(-1) ?? 0)
  const later = seqs.filter((one) => one > seq && one <= settled)
  const [first] = later
  return first === undefined ? undefined : { count: later.length, first, last: later.at(-1) ?? first }
}

export function deadItemsInMemory(
  group: MemoryGroup,
  { after, limit = 100, filter = {} }: PageOptions & { readonly filter?: DeadFilter },
): Page<DeadItem> {
  const [atMs = -1, seq = 0] = after?.split(' ').map(Number) ?? []
  const found = allItems(group)
    .filter((item) => fits(item, filter))
    .filter((item) => item.atMs > atMs || (item.atMs === atMs && item.seq > seq))
    .toSorted((a, b) => a.atMs - b.atMs || a.seq - b.seq)
  const items = found.slice(0, limit)
  const last = items.at(-1)
  return { items, next: items.length === limit && last ? deadPlace(last) : undefined }
}

export function countDeadInMemory(group: MemoryGroup): DeadCounts {
  const all = allItems(group)
  const oldestMs = all.reduce<number | undefined>(
    (least, { atMs }) => Math.min(least ?? atMs, atMs),
    undefined,
  )
  return {
    dead: group.dead.size,
    held: all.length - group.dead.size,
    late: group.requeued.size,
    oldestMs,
    classes: counted(all.map(({ reasonClass }) => reasonClass)),
    types: counted(all.map(({ type }) => type)),
  }
}

export function requeuedInMemory(
  group: MemoryGroup,
  { after, limit = 100 }: PageOptions,
): Page<RequeuedEvent> {
  const items = [...group.requeued.values()]
    .map((text) => JSON.parse(text) as DeadLetter)
    .map(({ seq, id, key }) => ({ seq, id, key }))
    .filter(({ seq }) => after === undefined || seq > Number(after))
    .toSorted((a, b) => a.seq - b.seq)
    .slice(0, limit)
  return { items, next: items.length === limit ? String(items.at(-1)?.seq) : undefined }
}

export function repairEntriesInMemory(
  group: MemoryGroup,
  { after, limit = 100 }: PageOptions,
): Page<RepairEntry> {
  const items = group.repairs
    .filter(({ no }) => after === undefined || Number(no) < Number(after))
    .toReversed()
    .slice(0, limit)
  return { items, next: items.length === limit ? items.at(-1)?.no : undefined }
}

function allItems(group: MemoryGroup): readonly DeadItem[] {
  return [
    ...[...group.dead.values()].map((text) => deadItemOf(JSON.parse(text) as DeadLetter)),
    ...[...group.parked.values()].flatMap((text) => heldItemOf(JSON.parse(text) as ParkedKey) ?? []),
  ]
}

function counted(names: readonly string[]): readonly DeadCount[] {
  const counts = Map.groupBy(names, (name) => name)
  return [...counts]
    .map(([name, all]) => ({ name, count: all.length }))
    .toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    .slice(0, 100)
}

/** Sequence numbers of all events of a key, page by page. */
export async function seqsOfKey(
  read: (afterVersion: number) => Promise<KeyHistory>,
): Promise<readonly number[]> {
  const seqs: number[] = []
  for (;;) {
    const { events, version } = await read(seqs.length)
    for (const { position } of events) seqs.push(position.seq)
    if (events.length === 0 || seqs.length >= version) return seqs
  }
}
