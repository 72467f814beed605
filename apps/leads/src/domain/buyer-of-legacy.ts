import type { Buyer, Standing } from './buyer.ts'

/** A customer as the legacy system has him. */
export interface LegacyCustomer {
  /** Everything that had happened up to then is in here, in ISO 8601. */
  readonly asOf: string
  readonly contacted: boolean
  readonly bids: readonly {
    readonly id: string
    readonly car: string
    readonly price: number
    readonly status: Standing
    /** Number of the last fact that it knows of the offer. */
    readonly revision: number
    /** Number of its latest acceptance; 0: none. */
    readonly acceptedIn: number
    /** It has made a quote for it. */
    readonly quoted: boolean
    /** The acceptance that it has a call for; 0: none. */
    readonly calledFor: number
  }[]
}

/**
 * A buyer as he is taken over. What the legacy system has done already, quotes, calls and the contact, is noted, so
 * that it is not done again; what it has not is to be done with the next fact.
 */
export function buyerOfLegacy({ asOf, contacted, bids }: LegacyCustomer): Buyer {
  const offers = bids.map((bid) => {
    const { id, car, price, status: standing, revision: seq, acceptedIn: acceptance, quoted } = bid
    return [id, { car, price, standing, seq, acceptance, quoted, calling: bid.calledFor }] as const
  })
  return { offers: Object.fromEntries(offers), contacted, migrated: asOf, untold: true }
}
