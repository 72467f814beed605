import type { DashboardQueue } from '@millrace/bullmq'
import { type Clock, MillraceError, systemClock } from '@millrace/event'
import {
  addressOf,
  headerOf,
  type KitContext,
  type KitEnv,
  problem,
  readForm,
  TokenBuckets,
} from '@millrace/hono'
import { Hono } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { board, boardPolicy } from './board.ts'
import { trimmed } from './board-page.ts'
import { keepExplaining, wantedPage } from './explain-access.ts'
import { crossSiteFault } from './cross-site.ts'
import { loginPage, loginPolicy } from './login-page.ts'
import type { JobRuling } from './retry-adapter.ts'
import { type Role, Sessions, sessionMs, type Tokens } from './session.ts'

/** What the console is made of. */
export interface ConsoleOptions {
  readonly queues: readonly DashboardQueue[]
  /** Who may come in. With none, nobody can. */
  readonly tokens: Tokens
  /** Rules on the head of a key whose job is retried or removed. Default: neither can be done. */
  readonly rule?: (ruling: JobRuling, actor: string) => Promise<void>
  readonly clock?: Clock
}

/** Where it is to be mounted. */
export const consolePath = '/queues'

const cookieName = 'millrace-console'

/**
 * What operators may do to queues of parked keys. Everything else would make a job that no record knows: its buttons are
 * not shown.
 */
const deeds: readonly RegExp[] = [
  /^\/api\/queues\/(?:pause|resume)$/,
  /^\/api\/queues\/retry\.[^/]+\/(?:pause|resume|promote|retry\/failed)$/,
  /^\/api\/queues\/retry\.[^/]+\/clean\/(?:failed|delayed|wait|completed|active)$/,
  /^\/api\/queues\/retry\.[^/]+\/[^/]+\/(?:retry|promote|clean)$/,
]

/**
 * The operator's pages, to be mounted at {@link consolePath}: BullMQ's dashboard behind a token. Without one nothing
 * is served but the page that asks for it. Viewers look; operators retry, remove and pause. Everything that changes
 * something must come from these pages, or carry the token itself.
 */
export function createConsole(options: ConsoleOptions): Hono<KitEnv> {
  const { queues, tokens, rule, clock = systemClock } = options
  const sessions = new Sessions(tokens, clock)
  const guesses = new TokenBuckets({ burst: 10, perSecond: 0.2, maxKeys: 1_000, clock })
  const ruleAs = (actor: string) => async (ruling: JobRuling) => {
    if (rule === undefined) throw new MillraceError('request.forbidden', 'Nothing can be ruled here')
    await rule(ruling, actor)
  }
  const boardOf = (role: Role) =>
    board(queues, {
      basePath: consolePath,
      readOnly: role === 'viewer',
      rule: ruleAs(`console ${role}`),
    })
  const boards = { viewer: boardOf('viewer'), operator: boardOf('operator') }
  const app = new Hono<KitEnv>()

  app.get('/login', (c) => page(c, loginPage(loginOf(c)), loginPolicy))
  app.post('/login', async (c) => {
    const fault = crossSiteFault(c, false)
    if (fault) throw fault
    if (guesses.take(addressOf(c)) > 0)
      throw new MillraceError('request.limited', 'There were too many tries')
    const { token = '' } = await readForm(c)
    const role = sessions.roleOf(token.trim())
    if (role === undefined)
      return page(c, loginPage(loginOf(c), 'This is not a token of this system.'), loginPolicy, 401)
    const session = sessions.begin(role)
    keep(c, session, sessionMs / 1_000)
    keepExplaining(c, session, sessionMs / 1_000)
    return c.redirect(wantedPage(c) ?? `${consolePath}/`, 303)
  })
  // Reached by a link of the board; all that another site could bring about with it is a log-in.
  app.get('/logout', (c) => {
    keep(c, '', 0)
    keepExplaining(c, '', 0)
    return c.redirect(`${consolePath}/login`, 303)
  })
  app.all('*', async (c) => {
    const token = /^Bearer +(\S+)$/i.exec(headerOf(c, 'authorization') ?? '')?.[1]
    const role = token === undefined ? sessions.read(getCookie(c, cookieName)) : sessions.roleOf(token)
    if (role === undefined) return unknown(c)
    const fault = crossSiteFault(c, token !== undefined) ?? deedFault(c, role)
    if (fault) return problem(c, fault)
    return shown(await boards[role].fetch(c.req.raw))
  })
  return app
}

/** Where the form leads: back to here, and from here to the page that was wanted. */
function loginOf(c: KitContext): string {
  const wanted = wantedPage(c)
  return `${consolePath}/login${wanted === undefined ? '' : `?to=${wanted}`}`
}

/** Pages lead to the login, everything else is refused. */
function unknown(c: KitContext): Response {
  const wantsPage = c.req.method === 'GET' && (headerOf(c, 'accept') ?? '').includes('text/html')
  if (wantsPage) return c.redirect(`${consolePath}/login`, 303)
  return problem(c, new MillraceError('request.unauthorized', 'Log in, or send a token of the console'))
}

function deedFault(c: KitContext, role: Role): MillraceError | undefined {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return undefined
  const path = new URL(c.req.url).pathname.slice(consolePath.length)
  if (role !== 'operator') return new MillraceError('request.forbidden', 'Viewers change nothing')
  if (c.req.method === 'PUT' && deeds.some((deed) => deed.test(path))) return undefined
  return new MillraceError(
    'request.forbidden',
    'Jobs are pictures of park records: they can be retried, promoted and removed, and their queue paused',
  )
}

/** The board's answer, which its own origin alone may use. */
async function shown(answer: Response): Promise<Response> {
  const headers = new Headers(answer.headers)
  headers.set('Content-Security-Policy', boardPolicy)
  if (!(headers.get('content-type') ?? '').includes('text/html'))
    return new Response(answer.body, { status: answer.status, headers })
  headers.delete('content-length')
  return new Response(trimmed(await answer.text()), { status: answer.status, headers })
}

function page(c: KitContext, html: string, policy: string, status: 200 | 401 = 200): Response {
  return c.html(html, status, { 'Content-Security-Policy': policy })
}

function keep(c: KitContext, value: string, maxAge: number): void {
  setCookie(c, cookieName, value, {
    path: consolePath,
    httpOnly: true,
    sameSite: 'Strict',
    secure: new URL(c.req.url).protocol === 'https:',
    maxAge,
  })
}
