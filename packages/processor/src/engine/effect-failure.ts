import { MillraceError } from '@millrace/event'
import type { FailureKind } from '../failure-kind.ts'

/**
 * What a failed attempt says about the outside world.
 * - `answered`: it has refused this one for good: it is there;
 * - `failed`: it may be away, or choke on this one;
 * - `away`: it is away; nothing was tried;
 * - `dropped`: we gave up ourselves, which says nothing.
 */
export type EffectFailure = 'answered' | 'failed' | 'away' | 'dropped'

/** Codes of Node and of its fetch for a peer that cannot be reached, or hangs up. */
const awayCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
  'service.unavailable',
  'service.busy',
])

/** Answers of a peer that does not do its work at present (RFC 9110, RFC 6585). */
const awayStatuses: ReadonlySet<unknown> = new Set([429, 502, 503, 504])

/** How many causes are looked at: a chain may be a ring. */
const mostCauses = 8

/** @param kind What the processor says of the failure. */
export function effectFailureOf(error: unknown, kind: FailureKind): EffectFailure {
  if (error instanceof MillraceError && (error.code === 'effect.unknown' || error.code === 'lease.fenced'))
    return 'dropped'
  if (kind === 'permanent') return 'answered'
  return kind === 'wait' || saysAway(error) ? 'away' : 'failed'
}

function saysAway(error: unknown): boolean {
  let one = error
  for (let depth = 0; depth < mostCauses && typeof one === 'object' && one !== null; depth++) {
    if ('code' in one && typeof one.code === 'string' && awayCodes.has(one.code)) return true
    if ('status' in one && !(one instanceof MillraceError) && awayStatuses.has(one.status)) return true
    if ('statusCode' in one && awayStatuses.has(one.statusCode)) return true
    one = 'cause' in one ? one.cause : undefined
  }
  return false
}
