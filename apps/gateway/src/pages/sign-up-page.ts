import { html } from 'hono/html'
import { field, newPasswordHint } from './field.ts'
import { type FormFailure, failureSummary } from './form-failure.ts'
import type { Markup } from './markup.ts'
import { requestKeyField } from './request-key.ts'

/** Labels of the form, also the fields that faults may be about. */
export const signUpLabels = { username: 'Name', email: 'E-mail address', password: 'Password' } as const

/** What the sign-up page shows. */
export interface SignUpView {
  readonly username?: string
  readonly email?: string
  readonly requestKey?: string
  readonly failure?: FormFailure
  readonly privateSignUp: boolean
}

/** The page on which an account begins. */
export function signUpPage(view: SignUpView): Markup {
  const { failure } = view
  return html`<div class="split">
    <div class="intro">
      <h1>Create your account</h1>
      <p class="lead">A name, an address and a password: that’s all we ask for, and it takes a minute.</p>
    </div>
    <div class="form-side card">
      <form method="post" action="/" novalidate class="fields" aria-label="Create your account">
        ${failureSummary(failure)} ${requestKeyField(view.requestKey)}
        ${field({
          name: 'username',
          label: signUpLabels.username,
          hint: 'What other people see.',
          autocomplete: 'nickname',
          value: view.username ?? '',
          fault: failure?.faults.get('username'),
        })}
        ${field({
          name: 'email',
          label: signUpLabels.email,
          hint: 'We’ll send a link there to make sure it’s yours.',
          autocomplete: 'email',
          value: view.email ?? '',
          fault: addressFault(failure),
        })}
        ${field({
          name: 'password',
          label: signUpLabels.password,
          type: 'password',
          hint: failure ? retype : newPasswordHint,
          autocomplete: 'new-password',
          fault: failure?.faults.get('password'),
        })}
        <button class="button wide" type="submit">Create account</button>
        <p class="quiet small">Already have an account? <a href="/sign-in">Sign in</a></p>
      </form>
    </div>
    <aside aria-labelledby="next">
      <h2 id="next">What happens next</h2>
      <ol class="steps">
        ${view.privateSignUp ? privateSteps : openSteps}
      </ol>
      <p class="assurance">
        Your password is never stored as you typed it. We keep a slow, salted hash of it and nothing else.
      </p>
    </aside>
  </div>`
}

const retype = 'Please type it once more; we don’t keep it between tries.'

function addressFault(failure: FormFailure | undefined): string | Markup | undefined {
  const fault = failure?.faults.get('email')
  if (fault === undefined || failure?.status !== 409) return fault
  return html`${fault} <a href="/sign-in">Sign in instead</a>`
}

const openSteps = html`<li>
    <strong>Your account is saved at once</strong>
    <span>If the address already has an account, we tell you right here.</span>
  </li>
  <li>
    <strong>We write to you</strong>
    <span>An e-mail with a link is on its way, usually within a minute.</span>
  </li>
  <li>
    <strong>You confirm the address</strong> <span>Open the link and press the button. That’s all.</span>
  </li>`

const privateSteps = html`<li>
    <strong>You see the same answer, whoever you are</strong>
    <span>This page tells nobody whether an address has an account.</span>
  </li>
  <li>
    <strong>We write to the address</strong>
    <span>To confirm it if it’s new, or to say that it already has an account.</span>
  </li>
  <li>
    <strong>You confirm the address</strong> <span>Open the link and press the button. Then sign in.</span>
  </li>`
