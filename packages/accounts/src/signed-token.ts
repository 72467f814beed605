import type { Clock } from '@millrace/event'
import { errors, jwtVerify, SignJWT } from 'jose'

/** What signs tokens of one purpose: a secret of its own and a name that no other purpose has. */
export interface TokenSigner {
  /** At least 32 bytes. */
  readonly key: Uint8Array
  readonly audience: string
  readonly lifetimeMs: number
  readonly clock: Clock
}

/** A token that was handed out. */
export interface IssuedToken {
  readonly token: string
  /** ISO 8601. */
  readonly expiresAt: string
}

/** Signs claims about a subject (JWT, RFC 7519, with HMAC-SHA-256). The same claims at the same time give the same token. */
export async function signToken(
  signer: TokenSigner,
  subject: string,
  claims: Readonly<Record<string, unknown>>,
  issuedAtMs = signer.clock.now(),
): Promise<IssuedToken> {
  // JWT counts in seconds.
  const issuedAt = Math.floor(issuedAtMs / 1_000)
  const expires = issuedAt + Math.ceil(signer.lifetimeMs / 1_000)
  const token = await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setAudience(signer.audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expires)
    .sign(signer.key)
  return { token, expiresAt: new Date(expires * 1_000).toISOString() }
}

/** What a token says, or why it says nothing. */
export type ReadToken =
  | { readonly state: 'valid'; readonly subject: string; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly state: 'expired' | 'invalid' }

/** Reads a token of the signer's own purpose. */
export async function readToken(signer: TokenSigner, token: string): Promise<ReadToken> {
  try {
    const { payload } = await jwtVerify(token, signer.key, {
      algorithms: ['HS256'],
      audience: signer.audience,
      requiredClaims: ['sub', 'exp'],
      currentDate: new Date(signer.clock.now()),
    })
    return payload.sub === undefined
      ? { state: 'invalid' }
      : { state: 'valid', subject: payload.sub, claims: { ...payload } }
  } catch (error) {
    if (error instanceof errors.JWTExpired) return { state: 'expired' }
    if (error instanceof errors.JOSEError) return { state: 'invalid' }
    throw error
  }
}

/** Refuses a key that could be guessed. Throws a TypeError: that is a mistake in code or settings. */
export function assertTokenKey(key: Uint8Array): void {
  if (key.byteLength < 32) throw new TypeError('A key for tokens has at least 32 bytes')
}
