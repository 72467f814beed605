import { MillraceError, upcast } from '@millrace/event'
import type { EventLog, Recorded } from '@millrace/log'
import type { Buyer } from '../domain/buyer.ts'
import { foldFacts } from '../domain/fold-facts.ts'
import type { OfferFact } from '../domain/offer-fact.ts'
import { factOf } from '../leads-processor.ts'
import { offers } from '../offers-topic.ts'

/** A buyer as the log tells him, whatever of it was processed. */
export interface BuyerOnLog {
  readonly buyer: Buyer
  /** Facts whose predecessor is not on the log. */
  readonly waiting: readonly OfferFact[]
  readonly events: readonly Recorded[]
  /** Events that the key has. */
  readonly version: number
}

// Beyond this something is wrong, and folding would block others.
const mostEvents = 10_000

/** Reads all events of a buyer and folds them. */
export async function readBuyer(
  log: Pick<EventLog, 'readKey'>,
  key: string,
  from?: Buyer,
): Promise<BuyerOnLog> {
  const events: Recorded[] = []
  for (;;) {
    const part = await log.readKey(offers, key, { afterVersion: events.length })
    if (part.version > mostEvents)
      throw new MillraceError('log.corrupt', `A buyer has ${part.version} events`)
    events.push(...part.events)
    if (events.length < part.version && part.events.length > 0) continue
    const facts = events.map(({ event }) => factOf(upcast(offers, event)))
    const { buyer, waiting } = foldFacts(facts, from)
    return { buyer, waiting, events, version: events.length }
  }
}
