import { type EventOf, topic } from '@millrace/event'
import { z } from 'zod'

/** Names of buyers, offers and cars: what fits into an address and a file. */
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9@+._:-]{0,99}$/, 'is letters, digits and @ + . _ : -')
const ofOffer = {
  offer: name,
  car: z.string().min(1).max(200),
  /** The offer system numbers the facts of each offer: 1, 2, 3 … Left out by producers that cannot. */
  offerSeq: z.int().min(1).optional(),
}
const fact = z.strictObject(ofOffer)

/** Fields of the interface that are facts of an offer. */
export const offerFields = { name, car: ofOffer.car, price: z.int().min(1).max(1_000_000_000) } as const

/**
 * What happens to the offers that buyers make on cars: small facts. The key is the buyer; an offer is the buyer's, for
 * one car, under an id of its own.
 */
export const offers = topic('offers', {
  partitions: 4,
  types: {
    OfferMade: z.strictObject({ ...ofOffer, price: offerFields.price }),
    OfferAccepted: fact,
    OfferRejected: fact,
    OfferWithdrawn: fact,
    /** The seller takes an acceptance back. */
    AcceptanceWithdrawn: fact,
  },
})

/** Any event of the offers topic, for `switch (event.type)`. */
export type OfferEvent = EventOf<typeof offers>
