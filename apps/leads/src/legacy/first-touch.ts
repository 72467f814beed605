import type { Comparison, FirstTouchOptions } from '@millrace/processor'
import { type Buyer, leadsOf } from '../domain/buyer.ts'
import { buyerOfLegacy } from '../domain/buyer-of-legacy.ts'
import type { LegacySystem } from './legacy-system.ts'

/** Before the first event. */
const never = new Date(0)

/**
 * A buyer's state as the legacy system has it. Its own as-of is a time, and facts travel: one that happened before may
 * come to it later. The numbers of facts say exactly which ones it has, so every event is handed to the domain, which
 * leaves out those that are in the answer (by number, or without one by the as-of).
 */
export function firstTouchOf(legacy: LegacySystem): FirstTouchOptions<Buyer> {
  return {
    load: async (buyer, { signal }) => {
      const customer = await legacy.ask(buyer, { signal })
      return customer && { state: buyerOfLegacy(customer), asOf: never }
    },
  }
}

/** What of a buyer is compared with what the legacy system says of him: his leads and how each offer stands. */
export function comparisonWith(legacy: LegacySystem): Comparison<Buyer> {
  return {
    load: async (buyer, { signal }) => {
      const customer = await legacy.ask(buyer, { signal })
      return customer && { state: buyerOfLegacy(customer), asOf: new Date(customer.asOf) }
    },
    fields: (buyer) => ({
      ...leadsOf(buyer),
      offers: Object.fromEntries(
        Object.entries(buyer.offers)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([id, { standing }]) => [id, standing]),
      ),
    }),
  }
}
