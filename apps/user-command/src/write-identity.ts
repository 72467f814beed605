import { createHmac } from 'node:crypto'
import { freshId, keyedId, MillraceError } from '@millrace/event'

/** Under which ids a request writes. */
export interface WriteIdentity {
  /** Id of the account that a sign-up makes. */
  readonly accountId: string
  readonly eventId: string
  /** Keyed digest of the body; absent without an `Idempotency-Key`. */
  readonly fingerprint: string | undefined
}

/** What identifies a request that may be repeated. */
export interface RepeatableRequest {
  /** Method and path template, such as `POST /users`. */
  readonly route: string
  /** The account that is written to; empty for a sign-up. */
  readonly scope: string
  readonly idempotencyKey: string | undefined
  /** The validated body. */
  readonly body: Readonly<Record<string, string>>
}

/**
 * With an `Idempotency-Key` the ids follow from the request, so that a repeat writes the same event and not
 * another one; without, they are fresh. Nobody without the secret can tell the ids of a key, or guess a password
 * from a fingerprint.
 */
export function writeIdentity(secret: Uint8Array, request: RepeatableRequest): WriteIdentity {
  const { route, scope, idempotencyKey, body } = request
  if (idempotencyKey === undefined)
    return { accountId: freshId(), eventId: freshId(), fingerprint: undefined }
  return {
    accountId: keyedId(secret, route, scope, idempotencyKey, 'account'),
    eventId: keyedId(secret, route, scope, idempotencyKey, 'event'),
    fingerprint: fingerprintOf(secret, route, body),
  }
}

/** Keyed digest of a body, whatever the order of its members. */
export function fingerprintOf(
  secret: Uint8Array,
  route: string,
  body: Readonly<Record<string, string>>,
): string {
  const members = Object.entries(body).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHmac('sha256', secret)
    .update(JSON.stringify(['fingerprint', route, members]))
    .digest('base64url')
}

/** Checks the header `Idempotency-Key`. @throws MillraceError `request.invalid` */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined || /^[\x21-\x7e]{1,200}$/.test(header)) return header
  const message = 'is 1 to 200 visible ASCII characters'
  throw new MillraceError('request.invalid', `Idempotency-Key ${message}`, {
    errors: [{ field: 'Idempotency-Key', message }],
  })
}
