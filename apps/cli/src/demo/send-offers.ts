import type { OfferFact } from '@millrace-app/leads'
import { freshId } from '@millrace/event'
import { type LeadsClients, inParallel, patiently } from './leads-places.ts'
import type { BuyerCase } from './offer-cases.ts'

/** How offers are sent. */
export interface Sending {
  readonly clients: LeadsClients
  readonly concurrency: number
  readonly signal: AbortSignal
  readonly onSent: (facts: number) => void
}

const words = {
  OfferMade: 'made',
  OfferAccepted: 'accepted',
  OfferRejected: 'rejected',
  OfferWithdrawn: 'withdrawn',
  AcceptanceWithdrawn: 'acceptance-withdrawn',
} as const

/** Tells the legacy system what it has known for long. */
export async function tellBefore(cases: readonly BuyerCase[], sending: Sending): Promise<void> {
  const at = '2020-01-01T00:00:00.000Z'
  await inParallel(cases, sending.concurrency, async ({ buyer: customer, before }) => {
    for (const { type, offer: bid, car, price, offerSeq: revision } of before) {
      const body = { customer, what: words[type], bid, car, price, revision, at }
      await patiently(() => sending.clients.legacy.json('/facts', { body }), sending.signal)
    }
  })
}

/** Sends what happened as producers do, through the intake: buyers side by side, each in the order in which it arrives. */
export async function sendOffers(cases: readonly BuyerCase[], sending: Sending): Promise<number> {
  let sent = 0
  await inParallel(cases, sending.concurrency, async ({ buyer, arriving }) => {
    for (let at = 0; at < arriving.length; at += 3) {
      if (sending.signal.aborted) return
      const body = arriving.slice(at, at + 3).map((fact) => cloudEvent(buyer, fact))
      const headers = { 'Content-Type': 'application/cloudevents-batch+json' }
      const call = { method: 'POST', body, headers } as const
      await patiently(() => sending.clients.intake.json('/topics/offers/events', call), sending.signal)
      sent += body.length
      sending.onSent(sent)
    }
  })
  return sent
}

/** Each has an id of its own, also those that say the same: it is the number of the fact that tells. */
function cloudEvent(subject: string, { type, ...data }: OfferFact) {
  return { specversion: '1.0', id: freshId(), source: '/demo/offers', type, subject, data }
}
