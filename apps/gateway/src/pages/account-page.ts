import { html } from 'hono/html'
import { field, hidden, newPasswordHint } from './field.ts'
import { type FormFailure, failureSummary } from './form-failure.ts'
import { formTokenName } from './form-token.ts'
import type { Markup } from './markup.ts'
import { news, type News } from './notice.ts'
import { requestKeyField } from './request-key.ts'

/** The account as user-query tells it. */
export interface AccountFacts {
  readonly username: string
  readonly email: string
  readonly activated: boolean
  /** ISO 8601. */
  readonly createdAt: string
  /** Entity tag of this version. */
  readonly etag: string
}

/** News that a redirect can bring to the page. */
export const accountNews = {
  address: [
    'Your address has been changed',
    'An e-mail with a link to confirm it is on its way to the new one.',
  ],
  same: ['Nothing has changed', 'Your account already has that address.'],
  resent: ['We’ve sent another e-mail', 'The newest link is the one to use.'],
  password: ['Your password has been changed', 'Use the new one from now on.'],
} as const satisfies Record<string, News>

/** A key of {@link accountNews}. */
export type AccountNews = keyof typeof accountNews

/** The forms of the page. */
export type AccountForm = 'address' | 'password' | 'close' | 'resend'

/** Labels of the fields, by form. */
export const accountLabels = {
  address: { email: 'New e-mail address' },
  password: { current: 'Current password', next: 'New password' },
  close: { sure: 'The box' },
  resend: {},
} as const satisfies Record<AccountForm, Readonly<Record<string, string>>>

/** What the account page shows. */
export interface AccountView {
  readonly facts: AccountFacts
  /** Proves that the forms are of this session. */
  readonly formToken: string
  readonly news?: AccountNews
  /** The form that was not taken, with what was typed into it. */
  readonly failed?: {
    readonly form: AccountForm
    readonly failure: FormFailure
    readonly email?: string
    readonly requestKey?: string
  }
}

/** The page of one's own account. */
export function accountPage(view: AccountView): Markup {
  const { facts, failed } = view
  return html`<div class="column">
    ${failureSummary(failed?.failure)} ${view.news && !failed ? news(accountNews[view.news]) : ''}
    <div class="intro"><h1>Your account</h1></div>
    <section class="card stack" aria-labelledby="facts">
      <h2 id="facts"><bdi>${facts.username}</bdi></h2>
      <dl class="facts">
        <dt>E-mail address</dt>
        <dd>
          <bdi>${facts.email}</bdi>
          ${facts.activated ? html`<span class="badge">confirmed</span>` : html`<span class="badge open">not confirmed yet</span>`}
        </dd>
        <dt>Since</dt>
        <dd><time datetime="${facts.createdAt}">${dayOf(facts.createdAt)}</time></dd>
      </dl>
      ${facts.activated ? '' : resend(view)}
    </section>
    ${changeAddress(view)} ${changePassword(view)} ${closeAccount(view)}
    <form method="post" action="/sign-out">
      ${hidden(formTokenName, view.formToken)}<button class="button plain" type="submit">Sign out</button>
    </form>
  </div>`
}

function resend(view: AccountView): Markup {
  return html`<form method="post" action="/account/resend" class="actions">
    ${guards(view, 'resend')}
    <span class="quiet">We’ve sent you a link. Nothing in your inbox?</span>
    <button class="button plain" type="submit">Send it again</button>
  </form>`
}

function changeAddress(view: AccountView): Markup {
  const failed = view.failed?.form === 'address' ? view.failed : undefined
  return html`<section class="card stack" aria-labelledby="address">
    <h2 id="address">Change your address</h2>
    <form method="post" action="/account/address" novalidate class="fields">
      ${guards(view, 'address')} ${hidden('version', view.facts.etag)}
      ${field({
        name: 'email',
        label: accountLabels.address.email,
        hint: 'The old one becomes free at once. We send the new one a link to confirm it.',
        autocomplete: 'email',
        value: failed?.email ?? '',
        fault: failed?.failure.faults.get('email'),
      })}
      <div><button class="button" type="submit">Change address</button></div>
    </form>
  </section>`
}

function changePassword(view: AccountView): Markup {
  const faults = view.failed?.form === 'password' ? view.failed.failure.faults : undefined
  return html`<section class="card stack" aria-labelledby="password">
    <h2 id="password">Change your password</h2>
    <form method="post" action="/account/password" novalidate class="fields">
      ${guards(view, 'password')}
      <input
        type="text"
        autocomplete="username"
        value="${view.facts.email}"
        aria-label="Account"
        readonly
        hidden
      />
      ${field({
        name: 'current',
        label: accountLabels.password.current,
        type: 'password',
        autocomplete: 'current-password',
        fault: faults?.get('current'),
      })}
      ${field({
        name: 'next',
        label: accountLabels.password.next,
        type: 'password',
        hint: newPasswordHint,
        autocomplete: 'new-password',
        fault: faults?.get('next'),
      })}
      <div><button class="button" type="submit">Change password</button></div>
    </form>
  </section>`
}

function closeAccount(view: AccountView): Markup {
  const fault = view.failed?.form === 'close' ? view.failed.failure.faults.get('sure') : undefined
  return html`<section class="card stack" aria-labelledby="close">
    <h2 id="close">Close your account</h2>
    <p class="quiet">This can’t be undone. The address becomes free, for you or for anybody else.</p>
    <form method="post" action="/account/close" novalidate class="fields">
      ${guards(view, 'close')}
      <div class="check">
        <input
          id="sure"
          name="sure"
          type="checkbox"
          value="yes"
          required${fault ? html` aria-invalid="true" aria-describedby="sure-fault"` : ''}
        />
        <label for="sure">I want to close my account for good</label>
      </div>
      ${fault ? html`<span class="fault" id="sure-fault">${fault}</span>` : ''}
      <div><button class="button danger" type="submit">Close account</button></div>
    </form>
  </section>`
}

/** What every form of the page carries beside its fields. */
function guards(view: AccountView, form: AccountForm): Markup {
  const key = view.failed?.form === form ? view.failed.requestKey : undefined
  return html`${hidden(formTokenName, view.formToken)}${requestKeyField(key)}`
}

function dayOf(time: string): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime())
    ? time
    : new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(date)
}
