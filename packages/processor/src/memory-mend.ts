import { deferredOf, parkedOf } from './memory-commit.ts'
import { openEffects } from './memory-effects.ts'
import type { MemoryGroup } from './memory-group.ts'
import type { MendRequest, MendResult } from './repairs.ts'

/** Mends counters as mend.lua does on Redis; indexes are derived as they are asked for. */
export function mendInMemory(
  group: MemoryGroup,
  { part, by, reason, dryRun }: MendRequest,
  { tip, nowMs }: { tip: number; nowMs: number },
): MendResult {
  const parked = [...group.parked.keys()].flatMap((key) => parkedOf(group, key) ?? [])
  const counts = {
    parked: parked.length,
    lined: parked.reduce((sum, { lined }) => sum + lined, 0),
    deferred: [...group.deferred.keys()].reduce((sum, key) => sum + deferredOf(group, key).length, 0),
    dead: group.dead.size,
    requeued: group.requeued.size,
  }
  const unsettled = tip - group.position.seq - group.ahead.length
  const elsewhere = Object.values(counts).reduce((sum, count) => sum + count, unsettled)
  const done = tip - group.base - elsewhere
  const moreDone = part === 'counters' ? done - group.counts.done : 0
  if (dryRun) return { status: 'mended', moreDone }
  group.repaired += 1
  const no = String(group.repaired)
  group.repairs.push({ no, id: '', seq: 0, key: '', kind: 'mended', on: part, by, reason, atMs: nowMs })
  if (part === 'counters') {
    Object.assign(group.counts, counts, { done })
    const { effectCounts, outboxCounts } = group
    for (const status of ['pending', 'parked', 'dead'] as const)
      effectCounts[status] = openEffects(group, status).length
    const { confirmed, ignored, withheld } = effectCounts
    effectCounts.recorded = group.effects.size + confirmed + ignored + withheld
    outboxCounts.written = group.outbox.size + outboxCounts.forwarded
  }
  return { status: 'mended', moreDone }
}
