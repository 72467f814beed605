import { MillraceError } from '@millrace/event'
import { type KitContext, type KitEnv, readForm } from '@millrace/hono'
import { Hono } from 'hono'
import { countRequest } from '../client-limits.ts'
import { type FormFailure, failureHeaders, failureOf } from './form-failure.ts'
import { checkFormToken, formTokenName } from './form-token.ts'
import { showPage } from './page.ts'
import {
  signInLabels,
  signInPage,
  type SignInReason,
  signInReasons,
  type SignInView,
} from './sign-in-page.ts'
import { ask, memberOf, type Site, textIn } from './site.ts'

/** `/sign-in` and `/sign-out`. */
export function signInRoutes(site: Site): Hono<KitEnv> {
  const app = new Hono<KitEnv>()
  app.get('/sign-in', (c) => {
    const why = c.req.query('why')
    return showSignIn(c, isReason(why) ? { reason: why } : {})
  })
  app.post('/sign-in', async (c) => {
    const { email = '', password = '' } = await readForm(c)
    try {
      await countRequest(site.limits, 'sessions', c)
      await signIn(site, c, { email, password })
    } catch (error) {
      return showSignIn(c, { email, failure: failed(c, error) })
    }
    return c.redirect('/account', 303)
  })
  app.get('/sign-out', (c) => c.redirect('/account', 303))
  app.post('/sign-out', async (c) => {
    const form = await readForm(c)
    const session = site.cookies.session(c)
    if (session) checkFormToken(session.token, form[formTokenName])
    site.cookies.endSession(c)
    site.cookies.forgetAddress(c)
    return c.redirect('/sign-in?why=out', 303)
  })
  return app
}

async function signIn(
  site: Site,
  c: KitContext,
  body: Readonly<{ email: string; password: string }>,
): Promise<void> {
  const answer = await ask(site, c, 'userCommand', '/sessions', { body })
  const accountId = memberOf(memberOf(answer.body, 'account'), 'id')
  const token = textIn(answer, 'token')
  if (typeof accountId !== 'string' || token === undefined)
    throw new MillraceError('service.failed', 'user-command answered a sign-in without a session')
  site.cookies.keepSession(c, { accountId, token, expiresAt: textIn(answer, 'expiresAt') ?? '' })
}

function failed(c: KitContext, error: unknown): FormFailure {
  const failure = failureOf(c, error, signInLabels)
  if (failure.status !== 401) return failure
  return {
    status: 401,
    faults: new Map(),
    general: {
      title: 'That’s not right',
      text: 'The address or the password is wrong. We don’t say which.',
    },
  }
}

function isReason(why: string | undefined): why is SignInReason {
  return why !== undefined && Object.hasOwn(signInReasons, why)
}

function showSignIn(c: KitContext, view: SignInView): Response | Promise<Response> {
  return showPage(c, {
    title: view.failure ? 'Problem: sign in' : 'Sign in',
    body: signInPage(view),
    visitor: 'guest',
    status: view.failure?.status ?? 200,
    headers: view.failure ? failureHeaders(view.failure) : {},
  })
}
