const maxMs = 60 * 60 * 1_000

/** `Retry-After` (RFC 9110 10.2.3) in milliseconds from now: seconds or a date, at most an hour. */
export function retryAfterMs(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined
  const text = value.trim()
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * 1_000, maxMs)
  // Date.parse alone would take "-1" for a year.
  const at = /^[A-Z][a-z]{2,8}, /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : Math.min(Math.max(at - nowMs, 0), maxMs)
}
