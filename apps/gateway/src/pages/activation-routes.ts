import { MillraceError } from '@millrace/event'
import { type KitContext, type KitEnv, readForm, type ServiceAnswer } from '@millrace/hono'
import { Hono } from 'hono'
import { activatedPage, activatePage, type LinkFault, unusableLinkPage } from './activation-page.ts'
import { showPage } from './page.ts'
import { ask, memberOf, type Site, textIn } from './site.ts'

/** `/activate`: the page behind a mail's link, its button, and what comes of it. */
export function activationRoutes(site: Site): Hono<KitEnv> {
  const app = new Hono<KitEnv>()
  app.get('/activate', (c) => {
    const token = c.req.query('token') ?? ''
    if (!looksWhole(token)) return showUnusable(site, c, 'incomplete', 400)
    return showPage(c, {
      title: 'Confirm your address',
      body: activatePage(token),
      visitor: visitorOf(site, c),
    })
  })
  app.post('/activate', async (c) => {
    const { token = '' } = await readForm(c)
    if (!looksWhole(token)) return showUnusable(site, c, 'incomplete', 400)
    let answer: ServiceAnswer
    try {
      answer = await ask(site, c, 'userCommand', '/activations', { body: { token } })
    } catch (error) {
      const fault = linkFault(error)
      if (fault && error instanceof MillraceError) return showUnusable(site, c, fault, error.status)
      throw error
    }
    keepPosition(site, c, answer)
    return c.redirect(
      memberOf(answer.body, 'already') === true ? '/activated?already=yes' : '/activated',
      303,
    )
  })
  app.get('/activated', (c) =>
    showPage(c, {
      title: 'Address confirmed',
      body: activatedPage(
        c.req.query('already') === 'yes' ? 'already' : 'done',
        visitorOf(site, c) === 'signed-in',
      ),
      visitor: visitorOf(site, c),
    }),
  )
  return app
}

/** Cut links are common in mail: what cannot be a token at all is told apart from one that has expired. */
function looksWhole(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) && token.length <= 4_096
}

function linkFault(error: unknown): LinkFault | undefined {
  if (!(error instanceof MillraceError)) return undefined
  if (error.status === 410) return 'expired'
  // A token that was cut or tampered with.
  return error.status === 400 || error.status === 401 || error.status === 404 ? 'incomplete' : undefined
}

/** The visitor's own account page then shows the address as confirmed. */
function keepPosition(site: Site, c: KitContext, answer: ServiceAnswer): void {
  const session = site.cookies.session(c)
  if (session && session.accountId === textIn(answer, 'id'))
    site.cookies.keepSession(c, { ...session, after: textIn(answer, 'position') })
}

function visitorOf(site: Site, c: KitContext): 'guest' | 'signed-in' {
  return site.cookies.session(c) ? 'signed-in' : 'guest'
}

function showUnusable(
  site: Site,
  c: KitContext,
  fault: LinkFault,
  status: number,
): Response | Promise<Response> {
  return showPage(c, {
    title: 'The link cannot be used',
    body: unusableLinkPage(fault, c.get('correlationId')),
    visitor: visitorOf(site, c),
    status,
  })
}
