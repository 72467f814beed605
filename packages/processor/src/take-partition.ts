import type { ConsumerSettings } from './consumer-settings.ts'
import type { GroupPartition } from './group-store.ts'
import { HeldLease } from './held-lease.ts'
import { PartitionRun } from './partition-run.ts'
import type { PartitionWork } from './partition-work.ts'

/**
 * Takes the lease of a partition and begins the work on it. Undefined when another member holds it, or when this one
 * is to stop: then the lease is given back.
 *
 * @param changed Called when something has changed in the work: it has ended, or there is room or something to do.
 */
export async function takePartition(
  settings: ConsumerSettings,
  partition: number,
  stopping: AbortSignal,
  changed: (work: PartitionWork) => void,
): Promise<PartitionWork | undefined> {
  const { store, topic, group, member, leaseMs, elapsedMs, startAt, begin } = settings
  const at: GroupPartition = { topic, partition, group }
  const askedAtMs = elapsedMs()
  const lease = await store.acquire(at, member, leaseMs)
  if (!lease) return undefined
  let start = { at: lease.position, ahead: lease.ahead }
  try {
    if (startAt) start = { at: await startAt(partition), ahead: [] }
  } catch (error) {
    await store.release(at, lease.token)
    throw error
  }
  if (stopping.aborted) {
    await store.release(at, lease.token)
    return undefined
  }
  const work: PartitionWork = begin
    ? begin({ at, lease, askedAtMs, changed: () => changed(work) })
    : new PartitionRun(
        settings,
        partition,
        new HeldLease(store, at, lease, { leaseMs, askedAtMs, elapsedMs }),
        start,
        () => changed(work),
      )
  return work
}
