/** What can happen to an offer. */
export const factTypes = [
  'OfferMade',
  'OfferAccepted',
  'OfferRejected',
  'OfferWithdrawn',
  'AcceptanceWithdrawn',
] as const

export type FactType = (typeof factTypes)[number]

/** One fact about one offer of a buyer. */
export interface OfferFact {
  readonly type: FactType
  readonly offer: string
  readonly car: string
  /** What the buyer offers; known from the fact that the offer was made. */
  readonly price?: number | undefined
  /** The offer system numbers the facts of each offer: 1, 2, 3 … Left out by producers that cannot. */
  readonly offerSeq?: number | undefined
  /** When it happened, in ISO 8601. */
  readonly at?: string | undefined
}
