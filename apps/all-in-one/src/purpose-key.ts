import { hkdfSync } from 'node:crypto'
import type { Secrets } from './secrets.ts'

/** What a key derived from the master secret is for; one that leaks opens nothing else. */
export type KeyPurpose = 'idempotency' | 'session' | 'link' | 'form'

/** The key of a purpose: HKDF (RFC 5869) over the master secret. */
export function purposeKey(secrets: Pick<Secrets, 'MILLRACE_SECRET'>, purpose: KeyPurpose): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secrets.MILLRACE_SECRET, '', `millrace ${purpose}`, 32))
}
