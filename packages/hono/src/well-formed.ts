import { MillraceError } from '@millrace/event'
import type { MiddlewareHandler } from 'hono'
import type { KitEnv } from './environment.ts'

/** Refuses addresses whose percent-encoding does not decode to UTF-8, or that hold U+0000. Answers 400. */
export function wellFormed(): MiddlewareHandler<KitEnv> {
  return (c, next) => {
    const url = c.req.url
    if (url.includes('%')) refuseMalformed(url)
    return next()
  }
}

function refuseMalformed(url: string): void {
  let decoded: string
  try {
    decoded = decodeURIComponent(url)
  } catch (cause) {
    throw new MillraceError('request.malformed', 'The address has an invalid percent-encoding', { cause })
  }
  if (decoded.includes('\0'))
    throw new MillraceError('request.malformed', 'The address holds the character U+0000')
}
