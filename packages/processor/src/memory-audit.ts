import type { OpenEffect } from './effect-ledger.ts'
import { auditOf, type GroupAudit } from './group-audit.ts'
import { deferredOf, parkedOf } from './memory-commit.ts'
import { openEffects } from './memory-effects.ts'
import type { MemoryGroup } from './memory-group.ts'

/** Counts where all events and effects of a group are, as the script on Redis does. */
export function auditInMemory(group: MemoryGroup, generation: number, tip: number): GroupAudit {
  const { base, position, ahead, counts, effectCounts, outboxCounts, timers } = group
  const held = [...group.parked.keys()].filter((key) => parkedOf(group, key)?.note.why === 'operator')
  const count = (status: OpenEffect) => openEffects(group, status).length
  const counters = {
    ...counts,
    tip,
    base,
    position: position.seq,
    ahead: ahead.length,
    effects: { ...effectCounts },
    outbox: { ...outboxCounts },
  }
  return auditOf(generation, counters, {
    parked: group.parked.size,
    parkedHeads: group.parked.size,
    lined: [...group.parked.keys()].reduce((sum, key) => sum + (parkedOf(group, key)?.lined ?? 0), 0),
    deferredKeys: group.deferred.size,
    deferredHeads: group.deferred.size,
    deferred: [...group.deferred.keys()].reduce((sum, key) => sum + deferredOf(group, key).length, 0),
    dead: group.dead.size,
    requeued: group.requeued.size,
    held: held.length,
    listed: group.dead.size + held.length,
    effects: {
      pending: count('pending'),
      parked: count('parked'),
      dead: count('dead'),
      listed: count('dead'),
      open: group.effects.size,
      withheld: group.withheld.size,
    },
    outbox: group.outbox.size,
    timers: timers.size,
  })
}
