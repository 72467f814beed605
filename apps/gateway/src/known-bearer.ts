import { createHash, timingSafeEqual } from 'node:crypto'
import type { KitContext } from '@millrace/hono'

/** Makes the question whether a caller shows one of these bearer tokens. Takes equal time for every token. */
export function knownBearer(tokens: readonly string[]): (c: KitContext) => boolean {
  const digests = tokens.filter((token) => token !== '').map(digestOf)
  return (c) => {
    const given = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1]
    if (given === undefined) return false
    const digest = digestOf(given)
    let matches = 0
    for (const known of digests) matches += timingSafeEqual(digest, known) ? 1 : 0
    return matches > 0
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
