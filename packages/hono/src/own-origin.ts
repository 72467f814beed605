import { MillraceError } from '@millrace/event'
import type { MiddlewareHandler } from 'hono'
import type { KitEnv } from './environment.ts'

/**
 * Lets through what a reader of pages without a login asks for, and nothing that another page in his browser does.
 *
 * - The Host must be one that the service is known by: a foreign name that was made to point here (DNS rebinding) would
 *   otherwise be its own origin.
 * - What changes something must come from a page of ours, or from no page at all.
 *
 * @param hosts As {@link knownHosts} has them.
 */
export function ownOrigin(hosts: ReadonlySet<string> | 'any'): MiddlewareHandler<KitEnv> {
  return async (c, next) => {
    const { host, hostname } = new URL(c.req.url)
    if (hosts !== 'any' && !hosts.has(hostname)) {
      throw new MillraceError('request.forbidden', 'Nothing here is known by this name')
    }
    // Under our referrer policy a browser sends "Origin: null" with a form of the page itself: where it says
    // Sec-Fetch-Site, that decides.
    const site = c.req.header('sec-fetch-site')
    const origin = c.req.header('origin')
    const foreign = site === undefined ? origin !== undefined && !isAt(origin, host) : !ownSites.has(site)
    if (foreign && c.req.method !== 'GET' && c.req.method !== 'HEAD') {
      throw new MillraceError('request.forbidden', 'Only a page of this service itself may do this')
    }
    return next()
  }
}

const ownSites: ReadonlySet<string> = new Set(['same-origin', 'none'])

/** The names that this machine knows itself by. */
const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * Names under which pages answer: this machine's own, and more.
 *
 * @param host What is listened on. Where it is not loopback and `more` says nothing, any name will do: then the machine's
 *   names are not known here.
 */
export function knownHosts(host: string, more?: readonly string[]): ReadonlySet<string> | 'any' {
  if (more === undefined && !loopbackHosts.has(host) && host !== '::1') return 'any'
  return new Set([...loopbackHosts, ...(more ?? [])])
}

function isAt(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host
}
