import { type KitContext, type KitEnv, readForm } from '@millrace/hono'
import { Hono } from 'hono'
import { countRequest } from '../client-limits.ts'
import { type FormFailure, failureHeaders, failureOf, refused } from './form-failure.ts'
import { showPage } from './page.ts'
import { ask, type Site } from './site.ts'
import { resendLabels, resendPage, welcomePage } from './welcome-page.ts'

/** `/welcome`, where sign-up ends, and `/resend`, for another mail. */
export function welcomeRoutes(site: Site): Hono<KitEnv> {
  const app = new Hono<KitEnv>()
  app.get('/welcome', (c) => showWelcome(site, c))
  app.get('/resend', (c) => showResend(site, c, {}))
  app.post('/resend', async (c) => {
    const { email: typed } = await readForm(c)
    // Without a field the form is the one of /welcome, which knows the address.
    const email = typed?.trim() ?? site.cookies.address(c)
    if (email === undefined || email === '')
      return showResend(site, c, { failure: refused({ email: 'Please type your address.' }) })
    try {
      await countRequest(site.limits, 'resend', c)
      await ask(site, c, 'userCommand', '/activations/resend', { body: { email } })
    } catch (error) {
      const failure = failureOf(c, error, resendLabels)
      return typed === undefined ? showWelcome(site, c, failure) : showResend(site, c, { email, failure })
    }
    site.cookies.keepAddress(c, email)
    return c.redirect('/welcome?again=yes', 303)
  })
  return app
}

function showWelcome(site: Site, c: KitContext, failure?: FormFailure): Response | Promise<Response> {
  const signedIn = site.cookies.session(c) !== undefined
  return showPage(c, {
    title: failure ? 'Problem: check your e-mail' : 'Check your e-mail',
    body: welcomePage({
      address: site.cookies.address(c),
      again: !failure && c.req.query('again') === 'yes',
      signedIn,
      privateSignUp: site.privateSignUp,
      ...(failure ? { failure } : {}),
    }),
    visitor: signedIn ? 'signed-in' : 'guest',
    status: failure?.status ?? 200,
    headers: failure ? failureHeaders(failure) : {},
  })
}

function showResend(
  site: Site,
  c: KitContext,
  view: { readonly email?: string; readonly failure?: FormFailure },
): Response | Promise<Response> {
  return showPage(c, {
    title: view.failure ? 'Problem: get a new link' : 'Get a new link',
    body: resendPage(view),
    visitor: site.cookies.session(c) ? 'signed-in' : 'guest',
    status: view.failure?.status ?? 200,
    headers: view.failure ? failureHeaders(view.failure) : {},
  })
}
