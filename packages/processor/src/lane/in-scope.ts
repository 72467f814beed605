import { enterScope, leaveScope, runInScope } from '@millrace/event'
import type { Processor } from '../model/processor.ts'
import type { Delivery } from './delivery.ts'

/** Processors whose deliveries have all been handled before the call returned: nothing of theirs goes on later. */
const prompt = new WeakSet<Processor>()
/** Those that have kept one: they may await something, and their promises are to know whose they are. */
const lasting = new WeakSet<Processor>()

/**
 * Handles a delivery in its own scope: for what it logs, and whom it calls. `handle` answers whether the delivery was
 * kept, to be settled later.
 */
export function handleInScope(processor: Processor, delivery: Delivery, handle: () => boolean): void {
  if (!prompt.has(processor)) {
    const kept = runInScope(delivery, handle)
    if (kept) lasting.add(processor)
    else if (!lasting.has(processor)) prompt.add(processor)
  } else if (promptly(delivery, handle)) {
    // One that awaits something now and then has no ids behind its first await, once.
    prompt.delete(processor)
    lasting.add(processor)
  }
}

/** Goes on with a delivery that was kept, in the midst of another one. */
export function goOnInScope(processor: Processor, delivery: Delivery, act: () => void): void {
  if (prompt.has(processor)) promptly(delivery, act)
  else runInScope(delivery, act)
}

function promptly<T>(delivery: Delivery, act: () => T): T {
  const before = enterScope(delivery)
  try {
    return act()
  } finally {
    leaveScope(before)
  }
}
