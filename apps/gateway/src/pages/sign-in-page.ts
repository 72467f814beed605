import { html } from 'hono/html'
import { field } from './field.ts'
import { type FormFailure, failureSummary } from './form-failure.ts'
import type { Markup } from './markup.ts'
import { news, type News } from './notice.ts'

/** Labels of the form, also the fields that faults may be about. */
export const signInLabels = { email: 'E-mail address', password: 'Password' } as const

/** Why somebody finds himself on the sign-in page. */
export const signInReasons = {
  ended: ['Please sign in again', 'Sessions are short, so that a forgotten window does no harm.'],
  out: ['You’re signed out', 'See you again.'],
  password: ['Your password has been changed', 'Please sign in with the new one.'],
  closed: ['Your account is closed', 'Its address is free again. You’re welcome back any time.'],
} as const satisfies Record<string, News>

/** A key of {@link signInReasons}. */
export type SignInReason = keyof typeof signInReasons

/** What the sign-in page shows. */
export interface SignInView {
  readonly email?: string
  readonly reason?: SignInReason
  readonly failure?: FormFailure
}

/** The page on which a session begins. */
export function signInPage({ email, reason, failure }: SignInView): Markup {
  return html`<div class="column">
    ${reason && !failure ? news(signInReasons[reason]) : ''}
    <div class="intro">
      <h1>Sign in</h1>
    </div>
    <div class="card">
      <form method="post" action="/sign-in" novalidate class="fields" aria-label="Sign in">
        ${failureSummary(failure)}
        ${field({
          name: 'email',
          label: signInLabels.email,
          autocomplete: 'username',
          value: email ?? '',
          fault: failure?.faults.get('email'),
        })}
        ${field({
          name: 'password',
          label: signInLabels.password,
          type: 'password',
          autocomplete: 'current-password',
          fault: failure?.faults.get('password'),
        })}
        <button class="button wide" type="submit">Sign in</button>
        <p class="quiet small">New here? <a href="/">Create an account</a></p>
      </form>
    </div>
  </div>`
}
