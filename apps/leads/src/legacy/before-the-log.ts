import { partitionOfKey } from '@millrace/event'
import type { GroupStore } from '@millrace/processor'
import type { Buyer } from '../domain/buyer.ts'
import { buyerOfLegacy } from '../domain/buyer-of-legacy.ts'
import type { LeadsProcessor } from '../leads-processor.ts'
import { offers } from '../offers-topic.ts'
import type { LegacySystem } from './legacy-system.ts'

/** How long the legacy system may take for an answer that somebody waits for, in ms. */
const patienceMs = 4_000

/**
 * What was known of a buyer before his first event on the log: as he was taken over, or, when he was not yet, as the
 * legacy system has him now. Nothing is kept of that: he is taken over with his first event.
 */
export function beforeTheLog(
  leads: LeadsProcessor,
  store: Pick<GroupStore, 'migrations'>,
  legacy: LegacySystem,
): (buyer: string) => Promise<Buyer | undefined> {
  return async (buyer) => {
    const at = { topic: offers, partition: partitionOfKey(offers, buyer), group: leads.name }
    const taken = (await store.migrations(at, [buyer])).get(buyer)
    if (taken) return taken.state === '' ? undefined : (JSON.parse(taken.state) as Buyer)
    const customer = await legacy.ask(buyer, { signal: AbortSignal.timeout(patienceMs) })
    return customer && buyerOfLegacy(customer)
  }
}
