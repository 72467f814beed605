import type { DueAnswer, DueBy } from '@millrace/retry'
import { parkedOf } from './memory-commit.ts'
import type { MemoryGroup } from './memory-group.ts'
import type { DueKey, Ruling } from './ruling.ts'

/** Marks a parked key as due, as the script on Redis does. */
export function markDueInMemory(
  group: MemoryGroup,
  { key, parkNo, by, nowMs }: { key: string; parkNo: number; by: DueBy; nowMs: number },
): DueAnswer {
  const parked = parkedOf(group, key)
  if (parked?.no !== parkNo || (by === 'clock' && parked.note.why !== 'retry')) return 'stale'
  if (group.parkedDue.has(key)) return 'already'
  group.parkedDue.set(key, nowMs)
  return 'due'
}

/** Keys that are marked, those that were marked first at first. */
export function dueInMemory(group: MemoryGroup, nowMs: number, limit: number): readonly DueKey[] {
  return [...group.parkedDue]
    .filter(([, atMs]) => atMs <= nowMs)
    .toSorted(([a, x], [b, y]) => x - y || Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .slice(0, limit)
    .map(([key, atMs]) => ({ key, atMs }))
}

/** What operators have decided about events. */
export function rulingsInMemory(group: MemoryGroup, seqs: readonly number[]): ReadonlyMap<number, Ruling> {
  return new Map(
    seqs.flatMap((seq): [number, Ruling][] => {
      const text = group.rulings.get(seq)
      if (text === undefined) return []
      const ran = group.lateRuns.get(seq)
      return [[seq, { ...(JSON.parse(text) as Ruling), ...(ran ? { ran } : {}) }]]
    }),
  )
}
