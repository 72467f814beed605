import { type Clock, MillraceError, systemClock } from '@millrace/event'
import { assertTokenKey, type IssuedToken, readToken, signToken } from './signed-token.ts'

/** Whose session it is, and of which password. */
export interface Session {
  readonly accountId: string
  /** {@link Account.passwordVersion} when the session began: a later password ends it. */
  readonly passwordVersion: number
}

/** Options of {@link createSessionTokens}. */
export interface SessionTokensOptions {
  /** The secret of this purpose, at least 32 bytes. */
  readonly key: Uint8Array
  readonly clock?: Clock
  /** Default 15 minutes. */
  readonly lifetimeMs?: number
}

/** Hands out and reads the short-lived tokens that stand for a signed-in account. */
export interface SessionTokens {
  issue(session: Session): Promise<IssuedToken>
  /** @throws MillraceError `request.unauthorized` */
  verify(token: string): Promise<Session>
}

/** Makes the session tokens of a system: every service with the same key reads them. Nothing is stored. */
export function createSessionTokens(options: SessionTokensOptions): SessionTokens {
  assertTokenKey(options.key)
  const signer = {
    key: options.key,
    audience: 'millrace-session',
    lifetimeMs: options.lifetimeMs ?? 900_000,
    clock: options.clock ?? systemClock,
  }
  return {
    issue: ({ accountId, passwordVersion }) => signToken(signer, accountId, { pwv: passwordVersion }),
    verify: async (token) => {
      const read = await readToken(signer, token)
      if (read.state === 'expired') throw new MillraceError('request.unauthorized', 'The session has ended')
      const passwordVersion = read.state === 'valid' ? read.claims['pwv'] : undefined
      if (read.state !== 'valid' || typeof passwordVersion !== 'number')
        throw new MillraceError('request.unauthorized', 'The bearer token is not valid')
      return { accountId: read.subject, passwordVersion }
    },
  }
}
