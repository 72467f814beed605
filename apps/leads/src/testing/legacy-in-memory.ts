import { MillraceError } from '@millrace/event'
import type { Buyer, Offer } from '../domain/buyer.ts'
import { newBuyer } from '../domain/buyer.ts'
import type { LegacyCustomer } from '../domain/buyer-of-legacy.ts'
import { foldFacts } from '../domain/fold-facts.ts'
import type { OfferFact } from '../domain/offer-fact.ts'
import type { LegacySystem } from '../legacy/legacy-system.ts'

type Told = OfferFact & { readonly at: string }

/** A legacy system in memory: it knows what it was told, in the order of the numbers; it may be away. */
export class LegacyInMemory implements LegacySystem {
  readonly facts = new Map<string, Told[]>()
  /** How often each buyer was asked for, and answered. */
  readonly asked = new Map<string, number>()
  away: () => boolean = () => false

  /** What it knows from before. */
  know(buyer: string, facts: readonly OfferFact[], at = '2020-01-01T00:00:00.000Z'): void {
    this.facts.set(buyer, [...(this.facts.get(buyer) ?? []), ...facts.map((fact) => ({ ...fact, at }))])
  }

  async ask(buyer: string, _: unknown): Promise<LegacyCustomer | undefined> {
    await Promise.resolve()
    if (this.away()) throw new MillraceError('service.unavailable', 'The legacy system is away')
    this.asked.set(buyer, (this.asked.get(buyer) ?? 0) + 1)
    const facts = this.facts.get(buyer)
    if (!facts) return undefined
    const asOf =
      facts
        .map(({ at }) => at)
        .toSorted((a, b) => (a < b ? -1 : 1))
        .at(-1) ?? ''
    return customerOf(foldFacts(facts).buyer, asOf)
  }

  async tell(buyer: string, fact: Told, _act: boolean): Promise<void> {
    await Promise.resolve()
    if (this.away()) throw new MillraceError('service.unavailable', 'The legacy system is away')
    this.facts.set(buyer, [...(this.facts.get(buyer) ?? []), fact])
  }
}

/** A buyer as the legacy system would tell him, with everything done that is to be done. */
export function customerOf({ offers, contacted }: Buyer = newBuyer, asOf: string): LegacyCustomer {
  const bids = Object.entries(offers).map(([id, { car, price, standing, ...offer }]: [string, Offer]) => ({
    ...{ id, car, price, status: standing, revision: offer.seq },
    ...{ acceptedIn: offer.acceptance, quoted: offer.quoted, calledFor: offer.calling },
  }))
  return { asOf, contacted, bids }
}
