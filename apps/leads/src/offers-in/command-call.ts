import { createHmac } from 'node:crypto'
import { type Clock, freshId, keyedId, MillraceError } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import type { Buyer } from '../domain/buyer.ts'

/** What commands need. */
export interface OfferPorts {
  readonly log: Pick<EventLog, 'append' | 'readKey'>
  /** Of the ids and fingerprints that follow from an `Idempotency-Key`. */
  readonly idempotencySecret: Uint8Array
  readonly clock: Clock
  /** What was known of a buyer before his first event on the log. */
  readonly before?: (buyer: string) => Promise<Buyer | undefined>
}

/** What every command knows of its request. */
export interface Call {
  readonly correlationId: string
  readonly traceparent: string
  readonly idempotencyKey: string | undefined
}

/** Producer of the events; with their ids their identity, so it never changes. */
export const offersSource = '/millrace/leads'

/** Under which ids a request writes, and how a repeat of it is known. */
export interface WriteIdentity {
  readonly offerId: string
  readonly eventId: string
  /** Keyed digest of the request; absent without an `Idempotency-Key`. */
  readonly fingerprint: string | undefined
}

/** With an `Idempotency-Key` the ids follow from the request, so that a repeat writes the same event; else they are fresh. */
export function identityOf(
  { idempotencySecret: secret }: Pick<OfferPorts, 'idempotencySecret'>,
  { idempotencyKey }: Call,
  route: string,
  about: readonly string[],
): WriteIdentity {
  if (idempotencyKey === undefined) return { offerId: freshId(), eventId: freshId(), fingerprint: undefined }
  const buyer = about[0] ?? ''
  const id = (what: string) => keyedId(secret, route, buyer, idempotencyKey, what)
  const fingerprint = createHmac('sha256', secret)
    .update(JSON.stringify(['fingerprint', route, ...about]))
    .digest('base64url')
  return { offerId: id('offer'), eventId: id('event'), fingerprint }
}

/** Checks the header `Idempotency-Key`. @throws MillraceError `request.invalid` */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined || /^[\x21-\x7e]{1,200}$/.test(header)) return header
  const message = 'is 1 to 200 visible ASCII characters'
  throw new MillraceError('request.invalid', `Idempotency-Key ${message}`, {
    errors: [{ field: 'Idempotency-Key', message }],
  })
}
