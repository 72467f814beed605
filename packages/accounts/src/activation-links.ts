import { type Clock, MillraceError, systemClock } from '@millrace/event'
import { assertTokenKey, type IssuedToken, readToken, signToken } from './signed-token.ts'

/** What a link confirms: the address that an event of the account has put there or asked for. */
export interface ActivationLink {
  readonly accountId: string
  /** Id of the AccountCreated, EmailChanged or ActivationRequested that the mail answers. */
  readonly eventId: string
}

/** Options of {@link createActivationLinks}. */
export interface ActivationLinksOptions {
  /** The secret of this purpose, at least 32 bytes. */
  readonly key: Uint8Array
  readonly clock?: Clock
  /** Default 48 hours. */
  readonly lifetimeMs?: number
}

/** Hands out and reads the tokens in mailed links. */
export interface ActivationLinks {
  /**
   * @param issuedAtMs from when its life counts. Default: now. With a time that does not change, such as that of
   *   the event, a repeated mail is the same to the last character.
   */
  issue(link: ActivationLink, issuedAtMs?: number): Promise<IssuedToken>
  /** @throws MillraceError `link.expired` (410), `request.invalid` (400, field `token`) */
  verify(token: string): Promise<ActivationLink>
}

/** Makes the links of a system. A token names the event and not the address: links end up in histories and logs. */
export function createActivationLinks(options: ActivationLinksOptions): ActivationLinks {
  assertTokenKey(options.key)
  const signer = {
    key: options.key,
    audience: 'millrace-activation',
    lifetimeMs: options.lifetimeMs ?? 172_800_000,
    clock: options.clock ?? systemClock,
  }
  return {
    issue: ({ accountId, eventId }, issuedAtMs) => signToken(signer, accountId, { evt: eventId }, issuedAtMs),
    verify: async (token) => {
      const read = await readToken(signer, token)
      if (read.state === 'expired') throw new MillraceError('link.expired', 'The link has expired')
      const eventId = read.state === 'valid' ? read.claims['evt'] : undefined
      if (read.state !== 'valid' || typeof eventId !== 'string') throw invalid()
      return { accountId: read.subject, eventId }
    },
  }
}

function invalid(): MillraceError {
  const message = 'is not the token of a link; copy the whole link from the mail'
  return new MillraceError('request.invalid', `token: ${message}`, { errors: [{ field: 'token', message }] })
}
