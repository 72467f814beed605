import { MillraceError } from '@millrace/event'
import {
  httpApp,
  type HttpAppOptions,
  type KitContext,
  type KitEnv,
  ownOrigin,
  pagePolicy,
} from '@millrace/hono'
import type { Hono } from 'hono'
import { htmlBody, htmlBodyPolicy } from './html-body.ts'
import { inboxScript } from './inbox-script.ts'
import { inboxStyle } from './inbox-style.ts'
import { listPage } from './list-page.ts'
import { mailApi } from './mail-api.ts'
import { mailContent } from './mail-content.ts'
import { mailFeed } from './mail-feed.ts'
import { mailPage, mailViews, noMailPage } from './mail-page.ts'
import { mailsLike } from './mail-search.ts'
import type { MailStore } from './mail-store.ts'

export interface InboxAppOptions extends Pick<HttpAppOptions, 'logger' | 'context' | 'meter'> {
  readonly store: MailStore
  readonly smtpUrl: () => string
  readonly maxMails: number
  /** Host names under which the inbox answers. */
  readonly hosts: ReadonlySet<string> | 'any'
}

const mailsOnAPage = 50

/** The inbox over HTTP: pages for people, `/api` for programs. */
export function inboxApp({ store, smtpUrl, maxMails, hosts, ...kit }: InboxAppOptions): Hono<KitEnv> {
  const app = httpApp({ ...kit, security: { content: 'pages' }, requestLogLevel: 'debug' })
  app.use(ownOrigin(hosts))
  app.route('/api', mailApi(store, { maxMails }))

  app.get('/', (c) => {
    const query = (c.req.query('q') ?? '').trim().slice(0, 200)
    const before = c.req.query('before')
    const found = mailsLike(store.mails, query).toReversed()
    const from = before === undefined ? found : found.filter(({ id }) => id < before)
    const mails = from.slice(0, mailsOnAPage)
    const last = from.length > mails.length ? mails.at(-1)?.id : undefined
    const older =
      last === undefined ? undefined : `/?${new URLSearchParams({ q: query, before: last }).toString()}`
    const counts = { found: found.length, total: store.mails.length }
    const continued = before !== undefined
    return c.html(listPage({ mails, query, older, continued, smtpUrl: smtpUrl(), ...counts }))
  })

  app.get('/mails/:id', async (c) => {
    const found = await store.read(c.req.param('id'))
    if (found === undefined) return c.html(noMailPage(), 404)
    const { summary, raw } = found
    const wish = mailViews.find((view) => view === c.req.query('view'))
    c.header('Content-Security-Policy', `${pagePolicy}; frame-src 'self'`)
    return c.html(mailPage({ summary, raw, wish, content: await mailContent(raw) }))
  })

  app.get('/mails/:id/html', async (c) => {
    const { html } = await mailContent((await mailOf(c, store)).raw)
    c.header('Content-Security-Policy', htmlBodyPolicy)
    c.header('X-DNS-Prefetch-Control', 'off')
    return c.html(htmlBody(html))
  })

  app.get('/mails/:id/raw', async (c) => {
    const { summary, raw } = await mailOf(c, store)
    c.header('Content-Type', 'message/rfc822')
    c.header('Content-Disposition', `attachment; filename="${summary.id}.eml"`)
    return c.body(new Uint8Array(raw))
  })

  app.post('/clear', async (c) => {
    await store.clear()
    return c.redirect('/', 303)
  })

  app.get('/feed', mailFeed(store))
  app.get('/inbox.css', (c) => c.body(inboxStyle, 200, { 'Content-Type': 'text/css; charset=utf-8' }))
  app.get('/inbox.js', (c) => c.body(inboxScript, 200, { 'Content-Type': 'text/javascript; charset=utf-8' }))
  return app
}

async function mailOf(c: KitContext, store: MailStore) {
  const found = await store.read(c.req.param('id') ?? '')
  if (found === undefined) throw new MillraceError('route.unknown', 'There is no such mail')
  return found
}
