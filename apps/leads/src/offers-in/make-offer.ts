import { newEvent } from '@millrace/event'
import { appendOne } from '@millrace/log'
import { offers } from '../offers-topic.ts'
import { type Call, identityOf, type OfferPorts, offersSource } from './command-call.ts'
import type { OfferWritten } from './change-offer.ts'

/** What a buyer offers. */
export interface NewOffer {
  readonly car: string
  readonly price: number
}

/**
 * Makes an offer: its first fact.
 *
 * @throws MillraceError `append.fingerprint` (422)
 */
export async function makeOffer(
  ports: OfferPorts,
  call: Call,
  buyer: string,
  { car, price }: NewOffer,
): Promise<OfferWritten> {
  const { offerId, eventId, fingerprint } = identityOf(ports, call, 'POST …/offers', [
    buyer,
    car,
    String(price),
  ])
  const event = newEvent(
    offers,
    {
      type: 'OfferMade',
      id: eventId,
      key: buyer,
      source: offersSource,
      data: { offer: offerId, car, price, offerSeq: 1 },
      correlationId: call.correlationId,
      traceparent: call.traceparent,
    },
    ports.clock,
  )
  const result = await appendOne(ports.log, offers, {
    events: [event],
    ...(fingerprint === undefined ? {} : { fingerprint }),
  })
  const position = result.status === 'unchanged' ? result.position : result.positions[0]
  if (!position) throw new TypeError('The log answered without a position')
  return { offer: offerId, version: 1, position, correlationId: call.correlationId }
}
