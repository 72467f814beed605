import type { FactType, OfferFact } from './offer-fact.ts'

/** How an offer stands: it waits for an answer, it is accepted, or it was rejected or withdrawn. */
export type Standing = 'open' | 'accepted' | 'closed'

/** An offer of a buyer, and what was done about it. */
export interface Offer {
  readonly car: string
  readonly price: number
  readonly standing: Standing
  /** How many facts of it are in here; those of a producer that numbers them are 1 to this. */
  readonly seq: number
  /** Number of the latest acceptance; 0: it never was accepted. */
  readonly acceptance: number
  /** Its quote was asked for. */
  readonly quoted: boolean
  /** The acceptance that a call task stands for; 0: none does. */
  readonly calling: number
}

/** A buyer: what his offers say, and what was done about them. The state of a key. */
export interface Buyer {
  readonly offers: Readonly<Record<string, Offer>>
  /** He was told of his quotes, once for all of them. */
  readonly contacted: boolean
  /** Taken over from the legacy system, which had everything that had happened up to then (ISO 8601). */
  readonly migrated?: string
  /** Taken over just now: nobody was told of his leads yet. */
  readonly untold?: true
}

/** What sales wants to know of a buyer. */
export interface Leads {
  /** He has an open offer, and none that is accepted. */
  readonly low: boolean
  /** The cars whose offers stand accepted, in order of their names. */
  readonly high: readonly string[]
}

/** A buyer of whom nothing is known. */
export const newBuyer: Buyer = { offers: {}, contacted: false }

const standings = {
  OfferMade: 'open',
  OfferAccepted: 'accepted',
  OfferRejected: 'closed',
  OfferWithdrawn: 'closed',
  AcceptanceWithdrawn: 'open',
} as const satisfies Record<FactType, Standing>

/** An offer of a buyer; undefined: there is none of this id, whatever objects have by themselves under such a name. */
export function offerOf({ offers }: Buyer, id: string): Offer | undefined {
  return Object.hasOwn(offers, id) ? offers[id] : undefined
}

/** The buyer after one more fact, which must be the next one of its offer. */
export function withFact(buyer: Buyer, fact: OfferFact): Buyer {
  const before = offerOf(buyer, fact.offer)
  const seq = (before?.seq ?? 0) + 1
  const offer: Offer = {
    car: fact.car,
    price: fact.price ?? before?.price ?? 0,
    standing: standings[fact.type],
    seq,
    acceptance: fact.type === 'OfferAccepted' ? seq : (before?.acceptance ?? 0),
    quoted: before?.quoted ?? false,
    calling: before?.calling ?? 0,
  }
  return { ...buyer, offers: { ...buyer.offers, [fact.offer]: offer } }
}

/** The leads that a buyer's offers make. */
export function leadsOf({ offers }: Buyer): Leads {
  const all = Object.values(offers)
  const cars = all.filter(({ standing }) => standing === 'accepted').map(({ car }) => car)
  const high = [...new Set(cars)].toSorted()
  return { low: high.length === 0 && all.some(({ standing }) => standing === 'open'), high }
}

/** Offers that wait for an answer. */
export function openOffers({ offers }: Buyer): number {
  return Object.values(offers).filter(({ standing }) => standing === 'open').length
}

/** Whether two leads are the same. */
export function sameLeads(a: Leads, b: Leads): boolean {
  return a.low === b.low && a.high.length === b.high.length && a.high.every((car, at) => car === b.high[at])
}
