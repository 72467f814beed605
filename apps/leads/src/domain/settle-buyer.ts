import { type Buyer, leadsOf, type Offer } from './buyer.ts'

/** An offer that something is to be done about. */
interface OfOffer {
  readonly offer: string
  readonly car: string
}

/** Something to do for a buyer. Each is named by what it is for, so that no order of facts changes how many there are. */
export type SalesTask =
  /** One quote an offer. */
  | ({ readonly kind: 'quote'; readonly price: number } & OfOffer)
  /** Tell him of his quotes: once ever. */
  | { readonly kind: 'contact' }
  /** One call an acceptance. */
  | ({ readonly kind: 'call'; readonly acceptance: number } & OfOffer)
  /** The acceptance does not stand any more. */
  | ({ readonly kind: 'cancel-call'; readonly acceptance: number } & OfOffer)
  /** Tell the buyer that he was accepted: once an acceptance. */
  | ({ readonly kind: 'tell-accepted'; readonly acceptance: number } & OfOffer)

/**
 * What is to be done for a buyer as he stands now, and the buyer with all of that noted. It follows from the state
 * alone: settling twice gives nothing the second time, and what another system has done already is noted there.
 */
export function settleBuyer(buyer: Buyer): { readonly buyer: Buyer; readonly tasks: readonly SalesTask[] } {
  const tasks: SalesTask[] = []
  const offers = Object.entries(buyer.offers).map(([id, offer]): [string, Offer] => {
    tasks.push(...tasksFor(id, offer))
    return [id, { ...offer, quoted: true, calling: standingCall(offer) }]
  })
  const contact = !buyer.contacted && leadsOf(buyer).low
  if (contact) tasks.push({ kind: 'contact' })
  if (tasks.length === 0) return { buyer, tasks }
  const settled = { offers: Object.fromEntries(offers), contacted: buyer.contacted || contact }
  return { buyer: { ...buyer, ...settled }, tasks }
}

function tasksFor(id: string, offer: Offer): readonly SalesTask[] {
  const { car, price, quoted, calling } = offer
  const of = { offer: id, car }
  const wanted = standingCall(offer)
  const tasks: SalesTask[] = []
  if (!quoted) tasks.push({ kind: 'quote', ...of, price })
  if (calling === wanted) return tasks
  if (calling > 0) tasks.push({ kind: 'cancel-call', ...of, acceptance: calling })
  if (wanted > 0)
    tasks.push(
      { kind: 'call', ...of, acceptance: wanted },
      { kind: 'tell-accepted', ...of, acceptance: wanted },
    )
  return tasks
}

function standingCall({ standing, acceptance }: Offer): number {
  return standing === 'accepted' ? acceptance : 0
}
