import { MillraceError } from '@millrace/event'
import { headerOf, type KitContext } from '@millrace/hono'

const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Why a request that may change something is refused: another site may have sent it. Browsers say where a request
 * comes from (`Sec-Fetch-Site`, else `Origin`); one that says nothing is refused as well, unless it carries a token,
 * which no other site has.
 */
export function crossSiteFault(c: KitContext, carriesToken: boolean): MillraceError | undefined {
  if (safe.has(c.req.method)) return undefined
  const site = headerOf(c, 'sec-fetch-site')
  const origin = headerOf(c, 'origin')
  if (site === undefined && origin === undefined)
    return carriesToken ? undefined : refused('does not say where it comes from')
  // With a referrer policy like ours, a form's Origin is null although it is ours: what the browser says of the site
  // stands above it.
  if (site !== undefined)
    return site === 'same-origin' ? undefined : refused(`comes from elsewhere (${site.slice(0, 20)})`)
  return sameHost(origin ?? '', headerOf(c, 'host')) ? undefined : refused('comes from another origin')
}

function sameHost(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).host === host.toLowerCase()
}

function refused(why: string): MillraceError {
  return new MillraceError('request.forbidden', `The request ${why}`)
}
