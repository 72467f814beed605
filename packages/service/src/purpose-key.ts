import { hkdfSync } from 'node:crypto'

/** What a key is for. Each purpose has its own, so that a token of one is nothing to another. */
export type KeyPurpose = 'idempotency' | 'session' | 'link' | 'retry'

// With less, whoever sees one token could try all secrets.
const leastBytes = 16

/**
 * The key of a purpose: 32 bytes out of the master secret by HKDF-SHA-256 (RFC 5869). Every service with the same
 * master secret gets the same key.
 *
 * @param masterSecret MILLRACE_SECRET; at least 16 bytes of it, or a TypeError is thrown
 */
export function purposeKey(masterSecret: string | Uint8Array, purpose: KeyPurpose): Uint8Array {
  const secret = typeof masterSecret === 'string' ? Buffer.from(masterSecret) : masterSecret
  if (secret.byteLength < leastBytes)
    throw new TypeError(`The master secret has at least ${leastBytes} bytes`)
  return new Uint8Array(hkdfSync('sha256', secret, '', `millrace ${purpose}`, 32))
}
