import { longestWishMs } from './backoff.ts'

/**
 * `Retry-After` (RFC 9110, 10.2.3) in ms from now: seconds or a date. Undefined when it is neither.
 */
export function readRetryAfter(value: string | null | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? ''
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * 1_000, longestWishMs)
  // Date.parse alone would take "-1" for a year.
  const at = /^[A-Z][a-z]{2,8}, /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at - nowMs, 0), longestWishMs)
}

/** How many causes are looked at: a chain may be a ring. */
const mostCauses = 8

/**
 * What a failure says about when to come back, in ms from now: `retryAfterMs` of the error, of its details or of a
 * cause, else the `Retry-After` header of an answer that it carries (`headers` or `response.headers`).
 */
export function retryAfterOf(error: unknown, nowMs: number): number | undefined {
  let one = error
  for (let depth = 0; depth < mostCauses && isObject(one); depth++) {
    const wish = wishOf(one, nowMs) ?? wishOf(one['details'], nowMs) ?? wishOf(one['response'], nowMs)
    if (wish !== undefined) return wish
    one = one['cause']
  }
  return undefined
}

function wishOf(value: unknown, nowMs: number): number | undefined {
  if (!isObject(value)) return undefined
  const { retryAfterMs } = value
  if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) return Math.min(retryAfterMs, longestWishMs)
  const header = headerOf(value['headers'])
  return typeof header === 'string' ? readRetryAfter(header, nowMs) : undefined
}

function headerOf(headers: unknown): unknown {
  if (headers instanceof Headers) return headers.get('retry-after')
  return isObject(headers) ? (headers['retry-after'] ?? headers['Retry-After']) : undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
