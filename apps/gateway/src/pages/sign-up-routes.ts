import { MillraceError } from '@millrace/event'
import { type KitContext, type KitEnv, readForm } from '@millrace/hono'
import { Hono } from 'hono'
import { countRequest } from '../client-limits.ts'
import { type FormFailure, failureHeaders, failureOf } from './form-failure.ts'
import { showPage } from './page.ts'
import { requestKeyOf } from './request-key.ts'
import { signUpLabels, signUpPage } from './sign-up-page.ts'
import { ask, type Site, textIn } from './site.ts'

/** `/`: the form, and what becomes of it. */
export function signUpRoutes(site: Site): Hono<KitEnv> {
  const app = new Hono<KitEnv>()
  app.get('/', (c) => showSignUp(site, c, {}))
  app.post('/', async (c) => {
    const form = await readForm(c)
    const { username = '', email = '', password = '' } = form
    const requestKey = requestKeyOf(form)
    try {
      await countRequest(site.limits, 'signUp', c)
      await signUp(site, c, { username, email, password }, requestKey)
    } catch (error) {
      return showSignUp(site, c, { username, email, requestKey, ...failed(c, error) })
    }
    return c.redirect('/welcome', 303)
  })
  return app
}

async function signUp(
  site: Site,
  c: KitContext,
  body: Readonly<{ username: string; email: string; password: string }>,
  idempotencyKey: string,
): Promise<void> {
  const answer = await ask(site, c, 'userCommand', '/users', { body, idempotencyKey })
  site.cookies.keepAddress(c, body.email.trim())
  const [accountId, token] = [textIn(answer, 'id'), textIn(answer, 'token')]
  // Without a token (private sign-up answers everybody alike) the visitor signs in after the mail.
  if (accountId === undefined || token === undefined) return site.cookies.endSession(c)
  const [after, expiresAt = ''] = [textIn(answer, 'position'), textIn(answer, 'expiresAt')]
  site.cookies.keepSession(c, { accountId, token, after, expiresAt })
}

/** The form was used before with other entries: a fresh key lets the visitor decide what he wants. */
function failed(c: KitContext, error: unknown): { failure: FormFailure; requestKey?: string } {
  const failure = failureOf(c, error, signUpLabels)
  if (!(error instanceof MillraceError) || error.code !== 'append.fingerprint') return { failure }
  return {
    requestKey: crypto.randomUUID(),
    failure: {
      ...failure,
      general: {
        title: 'This form has made an account already',
        text: 'It was sent before with other entries, and that account exists. Look for our mail, or send the form once more to make another account.',
      },
    },
  }
}

function showSignUp(
  site: Site,
  c: KitContext,
  view: { username?: string; email?: string; requestKey?: string; failure?: FormFailure },
): Response | Promise<Response> {
  const { failure } = view
  return showPage(c, {
    title: failure ? 'Problem: create your account' : 'Create your account',
    body: signUpPage({ ...view, privateSignUp: site.privateSignUp }),
    status: failure?.status ?? 200,
    visitor: site.cookies.session(c) ? 'signed-in' : 'guest',
    headers: failure ? failureHeaders(failure) : {},
  })
}
