import { type Buyer, offerOf, type Standing } from './buyer.ts'
import type { FactType, OfferFact } from './offer-fact.ts'

/** What is to be done with a fact: take it, leave it, or wait for what must come before it. */
export type Verdict = 'next' | 'duplicate' | { readonly waitsFor: string }

/**
 * Whether a fact is the next one of its offer. With numbers that is certain. Without them the type has to do: a fact
 * that does not fit how its offer stands waits until it does. docs/leads.md shows what that cannot tell apart.
 */
export function judgeFact(buyer: Buyer, { offer: id, offerSeq, type, at }: OfferFact): Verdict {
  const offer = offerOf(buyer, id)
  if (offerSeq === undefined) {
    if (isCovered(buyer, at)) return 'duplicate'
    const { from, needs } = preconditions[type]
    return from.includes(offer?.standing ?? 'unknown') ? 'next' : { waitsFor: `offer ${id} has ${needs}` }
  }
  const seq = offer?.seq ?? 0
  if (offerSeq <= seq) return 'duplicate'
  if (offerSeq === seq + 1) return 'next'
  return { waitsFor: `fact ${seq + 1} of offer ${id} has not come; this is its fact ${offerSeq}` }
}

/** Whether the legacy system had a fact already when the buyer was taken over: without numbers, its time has to tell. */
function isCovered({ migrated }: Buyer, at: string | undefined): boolean {
  return migrated !== undefined && at !== undefined && Date.parse(at) <= Date.parse(migrated)
}

const preconditions: Readonly<
  Record<FactType, { readonly from: readonly (Standing | 'unknown')[]; readonly needs: string }>
> = {
  OfferMade: { from: ['unknown', 'closed'], needs: 'not ended: no OfferRejected or OfferWithdrawn' },
  OfferAccepted: { from: ['open'], needs: 'not been made: no OfferMade' },
  OfferRejected: { from: ['open', 'accepted'], needs: 'not been made: no OfferMade' },
  OfferWithdrawn: { from: ['open', 'accepted'], needs: 'not been made: no OfferMade' },
  AcceptanceWithdrawn: { from: ['accepted'], needs: 'not been accepted: no OfferAccepted' },
}
