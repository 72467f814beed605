import { type KitContext, type KitEnv, rateLimit } from '@millrace/hono'
import type { MiddlewareHandler } from 'hono'

/** How often one client may do something. */
export interface ClientRate {
  /** At once. */
  readonly burst: number
  /** In the long run, a minute. */
  readonly perMinute: number
}

/** Rates by what is asked for; `false` switches one off. */
export interface ClientRates {
  /** Creating accounts. */
  readonly signUp?: ClientRate | false
  /** Signing in. Guessing passwords goes through here. */
  readonly sessions?: ClientRate | false
  /** Asking for another activation mail; user-command limits these by address as well. */
  readonly resend?: ClientRate | false
}

/** Generous: an office or a school behind one address has to get through. */
export const defaultClientRates = {
  signUp: { burst: 60, perMinute: 30 },
  sessions: { burst: 60, perMinute: 30 },
  resend: { burst: 20, perMinute: 10 },
} satisfies Required<ClientRates>

/** No limits by client. */
export const noClientRates = { signUp: false, sessions: false, resend: false } satisfies ClientRates

/** What a request is counted as. */
export type Limited = keyof ClientRates

/** Limits of this process: each kind has its own buckets, used by the pages and the HTTP interface together. */
export type ClientLimits = Readonly<Record<Limited, MiddlewareHandler<KitEnv>>>

/**
 * Makes the limits. `clientOf` says whose bucket pays; whoever has none passes: callers who have shown that they
 * are no strangers. Memory is bounded by the kit's buckets (10,000 clients a kind, about 1 MB).
 */
export function clientLimits(
  rates: ClientRates,
  clientOf: (c: KitContext) => string | undefined,
): ClientLimits {
  const limit = (kind: Limited): MiddlewareHandler<KitEnv> => {
    const rate = rates[kind] ?? defaultClientRates[kind]
    if (rate === false) return (_c, next) => next()
    return rateLimit({
      burst: rate.burst,
      perSecond: rate.perMinute / 60,
      key: clientOf,
    })
  }
  return { signUp: limit('signUp'), sessions: limit('sessions'), resend: limit('resend') }
}

/** Counts a request that is not answered yet. @throws MillraceError `request.limited` */
export async function countRequest(limits: ClientLimits, kind: Limited, c: KitContext): Promise<void> {
  await limits[kind](c, () => Promise.resolve())
}
