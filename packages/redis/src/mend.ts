import type { MendRequest, MendResult } from '@millrace/processor'
import type { GroupPlace } from './group-place.ts'

/** Most items that one step reads: it takes about a second then. */
const mostItems = 200_000

/** Mends indexes or counters from what is stored. */
export async function mendGroup(
  { redis, scripts, names, partition }: GroupPlace,
  { part, by, reason, dryRun = false }: MendRequest,
  { now, entriesKept }: { readonly now: number | undefined; readonly entriesKept: number },
): Promise<MendResult> {
  const keys = [
    names.group,
    partition.meta,
    names.dead,
    names.deadIndex,
    names.parked,
    names.parkedHeads,
    names.parkedDue,
    names.deferred,
    names.deferredHeads,
    names.requeued,
    names.outbox,
    names.effects,
    names.effectsPending,
    names.effectsParked,
    names.effectsDead,
    names.repairs,
    names.effectsIndex,
    names.effectsPassed,
    names.effectsRequeued,
  ]
  const [status, count] = (await scripts.mend.run(redis, keys, [
    part,
    dryRun ? 'dry' : '',
    mostItems,
    now ?? '',
    JSON.stringify({ by, reason }),
    entriesKept,
  ])) as ['mended' | 'large', number]
  return status === 'large' ? { status, items: count } : { status, moreDone: count }
}
