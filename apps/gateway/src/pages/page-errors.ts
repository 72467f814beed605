import { type KitContext, type KitEnv, problemType } from '@millrace/hono'
import type { MiddlewareHandler } from 'hono'
import { errorPage, errorTitle } from './error-page.ts'
import { showPage } from './page.ts'
import type { VisitorCookies } from './visitor-cookies.ts'

/** Shows people a page where programs get problem details, whoever answered them. */
export function pageErrors(cookies: VisitorCookies): MiddlewareHandler<KitEnv> {
  return async (c, next) => {
    await next()
    const { status, headers } = c.res
    if (headers.get('content-type') !== problemType || !wantsPage(c)) return
    const wait = headers.get('retry-after')
    // Taken away first: Hono would carry the problem's headers over.
    c.res = undefined
    c.res = await showPage(c, {
      title: errorTitle(status),
      body: errorPage(status, c.get('correlationId')),
      status,
      visitor: cookies.session(c) ? 'signed-in' : 'guest',
      headers: wait === null ? {} : { 'Retry-After': wait },
    })
  }
}

/** Whether the client is a browser that shows what it gets: programs name JSON, or take anything. */
function wantsPage(c: KitContext): boolean {
  const accept = c.req.header('accept') ?? ''
  return /\btext\/html\b/.test(accept) && !/\bjson\b/.test(accept)
}
