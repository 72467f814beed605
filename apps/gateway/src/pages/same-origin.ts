import { MillraceError } from '@millrace/event'
import type { KitEnv } from '@millrace/hono'
import type { MiddlewareHandler } from 'hono'

/**
 * Refuses forms that another site's page posts. Browsers say themselves where a request comes from, in
 * `Sec-Fetch-Site` or else in `Origin`; a request that says neither is not from a page of ours.
 */
export function sameOrigin(publicOrigin: string): MiddlewareHandler<KitEnv> {
  return async (c, next) => {
    const site = c.req.header('sec-fetch-site')
    const origin = c.req.header('origin')
    const ours = origin === publicOrigin || origin === new URL(c.req.url).origin
    if (site === undefined ? !ours : site !== 'same-origin' && !ours)
      throw new MillraceError('request.forbidden', 'This form was sent from a page of another site')
    await next()
  }
}
