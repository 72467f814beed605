import { type Event, newEvent, partitionOfKey } from '@millrace/event'
import type { GroupStore } from '@millrace/processor'
import { type Buyer, newBuyer } from '../domain/buyer.ts'
import type { OfferFact } from '../domain/offer-fact.ts'
import { offers } from '../offers-topic.ts'

/** A fact as an event, with an id of its own. */
export function eventOf(buyer: string, { type, at, offer, car, price, offerSeq }: OfferFact): Event {
  const data = {
    ...{ offer, car },
    ...(type === 'OfferMade' ? { price: price ?? 1 } : {}),
    ...(offerSeq === undefined ? {} : { offerSeq }),
  }
  return newEvent(offers, { type, key: buyer, data, ...(at === undefined ? {} : { time: at }) })
}

/** Where a buyer is in the group's records. */
export function partitionOfBuyer(buyer: string) {
  return { topic: offers, partition: partitionOfKey(offers, buyer), group: 'leads' }
}

/** The committed state of a buyer. */
export async function stateOf(store: Pick<GroupStore, 'loadStates'>, buyer: string): Promise<Buyer> {
  const [stored] = await store.loadStates(partitionOfBuyer(buyer), [buyer])
  const text = stored?.state?.state ?? ''
  return text === '' ? newBuyer : (JSON.parse(text) as Buyer)
}
