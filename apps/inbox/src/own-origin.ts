import { MillraceError } from '@millrace/event'
import type { KitEnv } from '@millrace/hono'
import type { MiddlewareHandler } from 'hono'

/**
 * Lets through what a reader of the inbox asks for, and nothing that another page in his browser does: the
 * mails hold links that sign people in, and the inbox asks for no password.
 *
 * - The Host must be one that the inbox is known by: a foreign name that was made to point here (DNS
 *   rebinding) would otherwise be its own origin.
 * - What changes something must come from a page of ours, or from no page at all.
 */
export function ownOrigin(hosts: ReadonlySet<string> | 'any'): MiddlewareHandler<KitEnv> {
  return async (c, next) => {
    const { host, hostname } = new URL(c.req.url)
    if (hosts !== 'any' && !hosts.has(hostname)) {
      throw new MillraceError('request.forbidden', 'The inbox is not known by this name')
    }
    // Under our referrer policy a browser sends "Origin: null" with a form of the page itself: where it says
    // Sec-Fetch-Site, that decides.
    const site = c.req.header('sec-fetch-site')
    const origin = c.req.header('origin')
    const foreign = site === undefined ? origin !== undefined && !isAt(origin, host) : !ownSites.has(site)
    if (foreign && c.req.method !== 'GET' && c.req.method !== 'HEAD') {
      throw new MillraceError('request.forbidden', 'Only a page of the inbox itself may do this')
    }
    return next()
  }
}

const ownSites: ReadonlySet<string> = new Set(['same-origin', 'none'])

/** The names that this machine knows itself by. */
export const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

function isAt(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host
}
