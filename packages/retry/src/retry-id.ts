import { createHash } from 'node:crypto'
import type { RetryRef } from './retry-clock.ts'

/**
 * The id of a head's job: the same wherever it is derived, another one for each head. A hash, because keys may be
 * addresses, and job ids take no colons.
 */
export function retryId(ref: RetryRef): string {
  const { group, generation, topic, partition, key, parkNo } = ref
  const parts = [group, generation, topic, partition, key, parkNo]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 27)
}
