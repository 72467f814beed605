import { randomHex } from './random-hex.ts'

// version - trace id - parent (span) id - flags; https://www.w3.org/TR/trace-context/#traceparent-header
const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:$|-)/

/**
 * The trace context of this request: the caller's trace with a span id of our own, or a new trace when the
 * caller sent none or one that is malformed. The caller's decision to sample is kept.
 */
export function continueTrace(given: string | undefined): string {
  const found = given === undefined ? null : pattern.exec(given)
  if (!found) return `00-${randomHex(32)}-${randomHex(16)}-00`
  return `00-${found[1]}-${randomHex(16)}-${found[2]}`
}
