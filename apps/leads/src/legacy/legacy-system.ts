import { MillraceError } from '@millrace/event'
import type { ServiceClient } from '@millrace/hono'
import { z } from 'zod'
import type { LegacyCustomer } from '../domain/buyer-of-legacy.ts'
import type { FactType, OfferFact } from '../domain/offer-fact.ts'

/** What a call is made with. */
interface LegacyCall {
  readonly signal: AbortSignal
}

/** The lead system that is to be replaced. */
export interface LegacySystem {
  /** What it knows of a buyer; undefined: nothing. */
  ask(buyer: string, call: LegacyCall): Promise<LegacyCustomer | undefined>
  /** Tells it a fact. `act`: it is to quote, contact and call because of it. Repeats are harmless. */
  tell(
    buyer: string,
    fact: OfferFact & { readonly at: string },
    act: boolean,
    call: LegacyCall,
  ): Promise<void>
}

const answer = z.object({
  asOf: z.iso.datetime(),
  contacted: z.boolean(),
  bids: z.array(
    z.object({
      id: z.string(),
      car: z.string(),
      price: z.int(),
      status: z.enum(['open', 'accepted', 'closed']),
      revision: z.int(),
      acceptedIn: z.int(),
      quoted: z.boolean(),
      calledFor: z.int(),
    }),
  ),
})

const words = {
  OfferMade: 'made',
  OfferAccepted: 'accepted',
  OfferRejected: 'rejected',
  OfferWithdrawn: 'withdrawn',
  AcceptanceWithdrawn: 'acceptance-withdrawn',
} as const satisfies Record<FactType, string>

/** The legacy system over HTTP. What it answers is checked; what it cannot answer now is `service.unavailable`. */
export function legacyOverHttp(client: Pick<ServiceClient, 'json'>): LegacySystem {
  return {
    ask: async (buyer, { signal }) => {
      try {
        const { body } = await client.json(`/customers/${encodeURIComponent(buyer)}/leads`, { signal })
        return answer.parse(body)
      } catch (error) {
        if (error instanceof MillraceError && error.code === 'customer.unknown') return undefined
        if (!(error instanceof z.ZodError)) throw error
        throw new MillraceError('service.failed', 'The legacy system gave a strange answer', { cause: error })
      }
    },
    tell: async (customer, { type, offer: bid, car, price, offerSeq: revision, at }, act, { signal }) => {
      const body = { ...{ customer, what: words[type], bid, car, at, act }, price, revision }
      await client.json('/facts', { body, signal })
    },
  }
}
