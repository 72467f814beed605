import { MillraceError } from '@millrace/event'
import { type KitContext, type KitEnv, readForm, type ServiceAnswer } from '@millrace/hono'
import { Hono } from 'hono'
import { countRequest } from '../client-limits.ts'
import {
  type AccountFacts,
  type AccountForm,
  accountLabels,
  accountNews,
  type AccountNews,
  accountPage,
} from './account-page.ts'
import { type FormFailure, failureHeaders, failureOf, refused } from './form-failure.ts'
import { checkFormToken, formToken, formTokenName } from './form-token.ts'
import { showPage } from './page.ts'
import { requestKeyOf } from './request-key.ts'
import { ask, memberOf, type Site, textIn } from './site.ts'
import type { Session } from './visitor-cookies.ts'

type Form = Readonly<Record<string, string>>

/** A posted form of the account page. */
interface Posted {
  readonly form: Form
  readonly session: Session
  readonly requestKey: string
}

/** Does what a form asks for; answers where to go then. */
type Action = (site: Site, c: KitContext, posted: Posted) => Promise<string>

/** `/account`: what one has, and the forms that change it. */
export function accountRoutes(site: Site): Hono<KitEnv> {
  const app = new Hono<KitEnv>()
  app.get('/account', async (c) => {
    const session = site.cookies.session(c)
    if (!session) return c.redirect('/sign-in?why=ended', 303)
    const done = c.req.query('done')
    return showAccount(site, c, session, isNews(done) ? { news: done } : {})
  })
  for (const [name, act] of Object.entries(actions) as [AccountForm, Action][]) {
    // Whoever loads the address of a form that was not taken gets the page again.
    app.get(`/account/${name}`, (c) => c.redirect('/account', 303))
    app.post(`/account/${name}`, async (c) => {
      const session = site.cookies.session(c)
      if (!session) return c.redirect('/sign-in?why=ended', 303)
      const form = await readForm(c)
      checkFormToken(session.token, form[formTokenName])
      const posted = { form, session, requestKey: requestKeyOf(form) }
      try {
        return c.redirect(await act(site, c, posted), 303)
      } catch (error) {
        const failure = error instanceof FormRefused ? error.failure : failed(c, error, name)
        if (failure === 'signed-out') return endSession(site, c)
        const { email = '' } = form
        return showAccount(site, c, session, {
          failed: { form: name, failure, email, requestKey: posted.requestKey },
        })
      }
    })
  }
  return app
}

/** A form that the page itself refuses. */
class FormRefused extends Error {
  readonly failure: FormFailure
  constructor(faults: Readonly<Record<string, string>>) {
    super('The form was not taken')
    this.failure = refused(faults)
  }
}

const actions: Readonly<Record<AccountForm, Action>> = {
  address: async (site, c, { form, session, requestKey }) => {
    const { email = '', version = '' } = form
    const answer = await ask(site, c, 'userCommand', pathOf(session), {
      method: 'PATCH',
      body: { email },
      token: session.token,
      idempotencyKey: requestKey,
      ...(version === '' ? {} : { ifMatch: version }),
    })
    keepPosition(site, c, session, answer)
    site.cookies.keepAddress(c, email.trim())
    // The version stays where the address stays.
    return answer.headers.get('etag') === version ? '/account?done=same' : '/account?done=address'
  },
  password: async (site, c, { form, session, requestKey }) => {
    await countRequest(site.limits, 'sessions', c)
    const { current = '', next = '' } = form
    const answer = await ask(site, c, 'userCommand', `${pathOf(session)}/password`, {
      body: { current, next },
      token: session.token,
      idempotencyKey: requestKey,
    })
    const token = textIn(answer, 'token')
    if (token === undefined) {
      // The new password has ended every session, this one too.
      site.cookies.endSession(c)
      return '/sign-in?why=password'
    }
    site.cookies.keepSession(c, {
      accountId: session.accountId,
      token,
      expiresAt: textIn(answer, 'expiresAt') ?? '',
      after: textIn(answer, 'position') ?? session.after,
    })
    return '/account?done=password'
  },
  close: async (site, c, { form, session, requestKey }) => {
    if (form['sure'] !== 'yes') throw new FormRefused({ sure: 'Please tick the box if you are sure.' })
    await ask(site, c, 'userCommand', pathOf(session), {
      method: 'DELETE',
      token: session.token,
      idempotencyKey: requestKey,
    })
    site.cookies.endSession(c)
    site.cookies.forgetAddress(c)
    return '/sign-in?why=closed'
  },
  resend: async (site, c, { session, requestKey }) => {
    await countRequest(site.limits, 'resend', c)
    await ask(site, c, 'userCommand', `${pathOf(session)}/activation`, {
      method: 'POST',
      token: session.token,
      idempotencyKey: requestKey,
    })
    return '/account?done=resent'
  },
}

async function showAccount(
  site: Site,
  c: KitContext,
  session: Session,
  view: {
    readonly news?: AccountNews
    readonly failed?: { form: AccountForm; failure: FormFailure; email: string; requestKey: string }
  },
): Promise<Response> {
  let answer: ServiceAnswer
  try {
    answer = await ask(site, c, 'userQuery', pathOf(session), {
      token: session.token,
      query: { after: session.after },
    })
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'position.invalid' && session.after !== undefined) {
      // Whatever the cookie says: without a position the page can be read.
      site.cookies.keepSession(c, { ...session, after: undefined })
      return c.redirect('/account', 303)
    }
    // The session has ended, or its account has been closed elsewhere.
    if (error instanceof MillraceError && (error.status === 401 || error.status === 404))
      return endSession(site, c)
    throw error
  }
  const failure = view.failed?.failure
  return showPage(c, {
    title: failure ? 'Problem: your account' : 'Your account',
    body: accountPage({ facts: factsOf(answer), formToken: formToken(session.token), ...view }),
    visitor: 'signed-in',
    status: failure?.status ?? 200,
    headers: failure ? failureHeaders(failure) : {},
  })
}

function factsOf(answer: ServiceAnswer): AccountFacts {
  return {
    username: textIn(answer, 'username') ?? '',
    email: textIn(answer, 'email') ?? '',
    activated: memberOf(answer.body, 'activated') === true,
    createdAt: textIn(answer, 'createdAt') ?? '',
    etag: answer.headers.get('etag') ?? '',
  }
}

function failed(c: KitContext, error: unknown, form: AccountForm): FormFailure | 'signed-out' {
  if (error instanceof MillraceError && error.code === 'request.unauthorized' && error.errors.length === 0)
    return 'signed-out'
  const failure = failureOf(c, error, accountLabels[form])
  if (failure.status !== 412) return failure
  return {
    status: 412,
    faults: new Map(),
    general: {
      title: 'The account has changed in the meantime',
      text: 'Perhaps in another window. This is how it is now; please check and try again.',
    },
  }
}

function endSession(site: Site, c: KitContext): Response {
  site.cookies.endSession(c)
  return c.redirect('/sign-in?why=ended', 303)
}

function pathOf(session: Session): string {
  return `/users/${encodeURIComponent(session.accountId)}`
}

/** From now on the visitor's pages show what he has just written. */
function keepPosition(site: Site, c: KitContext, session: Session, answer: ServiceAnswer): void {
  const after = textIn(answer, 'position')
  if (after !== undefined) site.cookies.keepSession(c, { ...session, after })
}

function isNews(name: string | undefined): name is AccountNews {
  return name !== undefined && Object.hasOwn(accountNews, name)
}
