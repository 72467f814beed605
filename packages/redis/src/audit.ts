import { auditOf, type GroupAudit } from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'
import { seqsOf } from './lease.ts'

/** Most parked keys, and keys with deferred events, whose lists one audit counts one by one. */
const mostCounted = 10_000

/** Counts where all events and effects of a group are, in one step. */
export async function auditGroup(place: GroupPlace, generation: number): Promise<GroupAudit> {
  const { redis, scripts, names, partition } = place
  const keys = [
    names.group,
    partition.meta,
    names.dead,
    names.parked,
    names.parkedHeads,
    names.deferred,
    names.deferredHeads,
    names.timers,
    names.outbox,
    names.effects,
    names.effectsPending,
    names.effectsParked,
    names.effectsDead,
    names.requeued,
    names.deadIndex,
    names.effectsIndex,
    names.withheld,
  ]
  const [record, found] = (await scripts.audit.run(redis, keys, [mostCounted])) as [
    (string | null)[],
    number[],
  ]
  const [tip, base, position, ahead, ...counts] = record
  const [done, parked, lined, deferred, dead, requeued, ...rest] = counts.map(Number)
  const [
    recorded,
    pending,
    parkedEffects,
    deadEffects,
    confirmed,
    ignored,
    written,
    forwarded,
    withheld,
    forgotten,
  ] = rest
  const at = (index: number) => found[index] ?? 0
  const counted = (index: number) => (at(index) < 0 ? undefined : at(index))
  return auditOf(
    generation,
    {
      tip: Number(tip),
      base: Number(base),
      position: Number(position),
      ahead: seqsOf(ahead ?? '').length,
      done: done ?? 0,
      parked: parked ?? 0,
      lined: lined ?? 0,
      deferred: deferred ?? 0,
      dead: dead ?? 0,
      requeued: requeued ?? 0,
      effects: {
        recorded: recorded ?? 0,
        pending: pending ?? 0,
        parked: parkedEffects ?? 0,
        dead: deadEffects ?? 0,
        confirmed: confirmed ?? 0,
        ignored: ignored ?? 0,
        withheld: withheld ?? 0,
        forgotten: forgotten ?? 0,
      },
      outbox: { written: written ?? 0, forwarded: forwarded ?? 0 },
    },
    {
      parked: at(0),
      parkedHeads: at(1),
      lined: counted(2),
      deferredKeys: at(3),
      deferredHeads: at(4),
      deferred: counted(5),
      dead: at(6),
      requeued: at(13),
      held: counted(14),
      listed: at(15) / 4,
      timers: at(7),
      outbox: at(8),
      effects: {
        open: at(9),
        pending: at(10),
        parked: at(11),
        dead: at(12),
        listed: at(16) / 4,
        withheld: at(17),
      },
    },
  )
}
