import type { ConsumerSettings } from './consumer-settings.ts'
import { within } from './drain.ts'
import type { GroupPartition } from './group-store.ts'
import type { KeptElsewhere } from './kept-elsewhere.ts'
import type { PartitionStart, PartitionWork } from './partition-work.ts'

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
): Promise<{ readonly work: PartitionWork; readonly token: string } | undefined> {
  const { store, topic, group, member, leaseMs, elapsedMs, elsewhere, begin } = settings
  const at: GroupPartition = { topic, partition, group }
  let askedAtMs = elapsedMs()
  const lease = await store.acquire(at, member, leaseMs)
  if (!lease) return undefined
  try {
    const fit = { at, lease, askedAtMs }
    if (elsewhere) askedAtMs = (await fitted(settings, elsewhere, fit, stopping)) ?? Number.NEGATIVE_INFINITY
  } catch (error) {
    await store.release(at, lease.token)
    if (stopping.aborted) return undefined
    throw error
  }
  if (stopping.aborted || askedAtMs === Number.NEGATIVE_INFINITY) {
    await store.release(at, lease.token)
    return undefined
  }
  const work: PartitionWork = begin({ at, lease, askedAtMs, changed: () => changed(work) })
  return { work, token: lease.token }
}

/**
 * Lets the data elsewhere be brought to where the group stands; answers when the lease was asked for or renewed last,
 * or undefined when it was lost meanwhile.
 */
async function fitted(
  { leaseMs, elapsedMs, timers, store }: ConsumerSettings,
  elsewhere: KeptElsewhere,
  { at, lease, askedAtMs }: Omit<PartitionStart, 'changed'>,
  stopping: AbortSignal,
): Promise<number | undefined> {
  const { token, n, position, ahead } = lease
  const lost = new AbortController()
  const signal = AbortSignal.any([stopping, lost.signal])
  const fitting = elsewhere.taken({ partition: at.partition, token, position, ahead }, signal)
  let renewedAtMs = askedAtMs
  try {
    while (!(await within(fitting, leaseMs / 3, timers))) {
      const triedAtMs = elapsedMs()
      if ((await store.renew(at, { token, n }, leaseMs)).status === 'fenced') lost.abort()
      else renewedAtMs = triedAtMs
    }
  } catch (error) {
    // The lease may be gone before this has noticed.
    if (!lost.signal.aborted) {
      lost.abort()
      await Promise.allSettled([fitting])
      throw error
    }
  }
  return lost.signal.aborted ? undefined : renewedAtMs
}
