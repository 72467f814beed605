import type { EndReason } from './consumer-event.ts'
import { sleep } from './engine/sleep.ts'
import type { Timers } from './lane/timers.ts'
import type { PartitionWork } from './partition-work.ts'

/** How long an aborted handler may take to notice, and a last call to the store to come back, in ms. */
export const graceMs = 2_000

/**
 * Ends a run in good order: starts nothing more, lets the handlers end (then aborts them), and commits what they did.
 * A handler that does not even end then keeps the lease until its deadline.
 *
 * @param mostMs How long handlers may take before they are aborted.
 */
export async function drain(
  run: PartitionWork,
  reason: EndReason,
  mostMs: number,
  timers: Timers,
): Promise<void> {
  run.quiet()
  if (!(await within(run.drained(), mostMs, timers))) {
    run.abortHandlers()
    await within(run.drained(), graceMs, timers)
  }
  await within(run.commitAll(), graceMs, timers)
  run.endBy(reason)
}

/** Waits for a piece of work, at most so long; answers whether it has ended. */
export async function within(work: Promise<unknown>, mostMs: number, timers: Timers): Promise<boolean> {
  const late = new AbortController()
  const ended = work.then(() => true)
  try {
    return await Promise.race([ended, sleep(timers, mostMs, late.signal).then(() => false)])
  } finally {
    late.abort()
  }
}
