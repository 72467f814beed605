import { type Buyer, newBuyer, withFact } from './buyer.ts'
import { judgeFact } from './judge-fact.ts'
import type { OfferFact } from './offer-fact.ts'
import { type SalesTask, settleBuyer } from './settle-buyer.ts'

/** What a number of facts come to. */
export interface Folded {
  readonly buyer: Buyer
  /** All that was to be done on the way, in order. */
  readonly tasks: readonly SalesTask[]
  /** Facts whose predecessor is not among them. */
  readonly waiting: readonly OfferFact[]
}

/**
 * Folds facts in the order in which they have come. What waits for another fact is offered again behind each later one.
 * This is what the running system is compared with.
 */
export function foldFacts(facts: Iterable<OfferFact>, from: Buyer = newBuyer): Folded {
  let folded: Folded = { buyer: from, tasks: [], waiting: [] }
  for (const fact of facts) folded = taken(folded, fact)
  return folded
}

function taken({ buyer, tasks, waiting }: Folded, fact: OfferFact): Folded {
  const verdict = judgeFact(buyer, fact)
  if (verdict === 'duplicate') return { buyer, tasks, waiting }
  if (verdict !== 'next') return { buyer, tasks, waiting: [...waiting, fact] }
  const settled = settleBuyer(withFact(buyer, fact))
  let after: Folded = { buyer: settled.buyer, tasks: [...tasks, ...settled.tasks], waiting: [] }
  for (const earlier of waiting) after = taken(after, earlier)
  return after
}
