import { html } from 'hono/html'
import { field } from './field.ts'
import { type FormFailure, failureSummary } from './form-failure.ts'
import type { Markup } from './markup.ts'
import { maskedAddress } from './masked-address.ts'
import { news } from './notice.ts'

/** What the page after sign-up shows. */
export interface WelcomeView {
  /** Where the mail goes; undefined when this browser does not know it. */
  readonly address?: string | undefined
  /** A further mail has just been asked for. */
  readonly again: boolean
  readonly signedIn: boolean
  readonly privateSignUp: boolean
  readonly failure?: FormFailure
}

/** The page that says a mail is on its way. */
export function welcomePage(view: WelcomeView): Markup {
  const { address, again, signedIn, privateSignUp, failure } = view
  return html`<div class="column">
    ${failureSummary(failure)}
    ${again ? news(['We’ve sent another e-mail', 'The newest link is the one to use.']) : ''}
    <div class="intro">
      <h1>${privateSignUp ? 'Check your e-mail' : 'Almost done: check your e-mail'}</h1>
      <p class="lead">
        An e-mail is on its way to
        ${
          address === undefined
            ? 'the address that you gave'
            : html`<strong><bdi>${maskedAddress(address)}</bdi></strong>`
        }.
        ${
          privateSignUp
            ? 'If the address is new here, it holds a link to confirm it. If the address already has an account, it says so.'
            : 'Open the link in it and press the button there to confirm your address.'
        }
      </p>
    </div>
    <div class="card stack">
      <h2>Nothing in your inbox?</h2>
      <p class="quiet">It can take a minute. It’s worth looking in your spam folder, too.</p>
      ${address === undefined ? resendForm({}) : html`<form method="post" action="/resend"><button class="button plain" type="submit">Send it again</button></form>`}
      ${address === undefined ? '' : html`<p class="quiet small">Wrong address? ${signedIn ? html`<a href="/account">Change it in your account</a>` : html`<a href="/">Start again</a>`}.</p>`}
    </div>
    ${signedIn ? html`<p><a href="/account">Go to your account</a></p>` : ''}
  </div>`
}

/** Label of the one field of the form that asks for another mail. */
export const resendLabels = { email: 'E-mail address' } as const

/** Asks for another mail to an address that has to be typed. */
export function resendForm(view: {
  readonly email?: string
  readonly failure?: FormFailure | undefined
}): Markup {
  return html`<form method="post" action="/resend" novalidate class="fields">
    ${field({
      name: 'email',
      label: resendLabels.email,
      autocomplete: 'email',
      value: view.email ?? '',
      fault: view.failure?.faults.get('email'),
    })}
    <button class="button" type="submit">Send me a new link</button>
  </form>`
}

/** The page of its own for that. */
export function resendPage(view: { readonly email?: string; readonly failure?: FormFailure }): Markup {
  return html`<div class="column">
    <div class="intro">
      <h1>Get a new link</h1>
      <p class="lead">
        Tell us your account’s address. If it still has to be confirmed, we send a new link at once.
      </p>
    </div>
    <div class="card stack">${failureSummary(view.failure)} ${resendForm(view)}</div>
  </div>`
}
