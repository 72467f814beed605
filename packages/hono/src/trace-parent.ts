import { randomBytes } from 'node:crypto'

// version - trace id - parent (span) id - flags; https://www.w3.org/TR/trace-context/#traceparent-header
const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:$|-)/

/**
 * The trace context of this request: the caller's trace with a span id of our own, or a new trace when the
 * caller sent none or one that is malformed. The caller's decision to sample is kept.
 */
export function continueTrace(given: string | undefined): string {
  const found = given === undefined ? null : pattern.exec(given)
  const random = randomBytes(24).toString('hex')
  if (!found) return `00-${random.slice(0, 32)}-${random.slice(32)}-00`
  return `00-${found[1]}-${random.slice(32)}-${found[2]}`
}
