import { MillraceError, newEvent } from '@millrace/event'
import { appendOne, type Position } from '@millrace/log'
import { type Offer, offerOf, type Standing } from '../domain/buyer.ts'
import type { FactType } from '../domain/offer-fact.ts'
import { offers } from '../offers-topic.ts'
import { type BuyerOnLog, readBuyer } from './buyer-on-log.ts'
import { type Call, identityOf, type OfferPorts, offersSource } from './command-call.ts'

/** What can be done to an offer over HTTP, the fact that it makes, and how the offer must stand for it. */
export const offerActions = {
  accept: { type: 'OfferAccepted', from: ['open'] },
  reject: { type: 'OfferRejected', from: ['open', 'accepted'] },
  withdraw: { type: 'OfferWithdrawn', from: ['open', 'accepted'] },
  'withdraw-acceptance': { type: 'AcceptanceWithdrawn', from: ['accepted'] },
} as const satisfies Readonly<Record<string, { readonly type: FactType; readonly from: readonly Standing[] }>>

export type OfferAction = keyof typeof offerActions

/** What is to be done to which offer. */
export interface OfferChange {
  readonly buyer: string
  readonly offer: string
  readonly action: OfferAction
  /** How many facts the offer must have; undefined: any number. */
  readonly expected: number | undefined
}

/** What became of a command. */
export interface OfferWritten {
  readonly offer: string
  /** Facts of the offer after this one. */
  readonly version: number
  readonly position: Position
  readonly correlationId: string
}

const mostAttempts = 5

/**
 * Reads, decides and writes. The write demands that nothing of the buyer has come meanwhile; else it all begins again. A
 * request that was taken before gets its first answer.
 *
 * @throws MillraceError `offer.unknown`, `offer.standing` (409), `append.version` (412), `append.fingerprint` (422)
 */
export async function changeOffer(ports: OfferPorts, call: Call, change: OfferChange): Promise<OfferWritten> {
  const { buyer, offer, action, expected } = change
  const identity = identityOf(ports, call, `POST …/${action}`, [buyer, offer, String(expected ?? '')])
  for (let attempt = 1; attempt <= mostAttempts; attempt++) {
    const known = await knownOf(ports, change)
    const repeated = known.events.find(({ event }) => event.id === identity.eventId)
    const event = repeated?.event ?? factToWrite(ports, call, change, known, identity.eventId)
    const version = (event.data as { readonly offerSeq: number }).offerSeq
    const written = await appended(ports, {
      events: [event],
      // What was taken long ago is compared as well: the log knows fingerprints for an hour only.
      expectedVersion: repeated ? known.events.indexOf(repeated) : known.version,
      ...(identity.fingerprint === undefined ? {} : { fingerprint: identity.fingerprint }),
    })
    const [position] = written?.positions ?? []
    if (position) return { offer, version, position, correlationId: event.correlationid }
    if (repeated)
      throw new MillraceError('append.fingerprint', 'The idempotency key was used too long ago to compare')
  }
  throw new MillraceError('service.busy', 'The buyer is being changed by others')
}

/** An offer that is not on the log from its first fact may be one that was made before there was a log. */
async function knownOf({ log, before }: OfferPorts, { buyer, offer }: OfferChange): Promise<BuyerOnLog> {
  const known = await readBuyer(log, buyer)
  const whole = offerOf(known.buyer, offer) && !known.waiting.some((fact) => fact.offer === offer)
  const earlier = whole ? undefined : await before?.(buyer)
  return earlier ? readBuyer(log, buyer, earlier) : known
}

function factToWrite(
  ports: OfferPorts,
  call: Call,
  change: OfferChange,
  { buyer, waiting }: BuyerOnLog,
  id: string,
) {
  const offer = offerOf(buyer, change.offer)
  if (!offer) throw new MillraceError('offer.unknown')
  if (waiting.some((fact) => fact.offer === change.offer))
    throw new MillraceError('offer.standing', 'Facts of this offer are still on their way')
  const { type } = offerActions[change.action]
  assertFits(change, offer)
  return newEvent(
    offers,
    {
      type,
      id,
      key: change.buyer,
      source: offersSource,
      data: { offer: change.offer, car: offer.car, offerSeq: offer.seq + 1 },
      correlationId: call.correlationId,
      traceparent: call.traceparent,
    },
    ports.clock,
  )
}

function assertFits({ action, expected }: OfferChange, { seq, standing }: Offer): void {
  const details = { version: seq, standing }
  if (expected !== undefined && expected !== seq)
    throw new MillraceError('append.version', `The offer has version ${seq}`, { details })
  const from: readonly Standing[] = offerActions[action].from
  if (from.includes(standing)) return
  throw new MillraceError(
    'offer.standing',
    `The offer is ${standing}: ${action} needs ${from.join(' or ')}`,
    {
      details,
    },
  )
}

/** Undefined: the buyer has moved on. */
async function appended(ports: OfferPorts, unit: Parameters<typeof appendOne>[2]) {
  try {
    const result = await appendOne(ports.log, offers, unit)
    return result.status === 'unchanged' ? undefined : result
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'append.version') return undefined
    throw error
  }
}
