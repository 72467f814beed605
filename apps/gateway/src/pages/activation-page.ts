import { html } from 'hono/html'
import { hidden } from './field.ts'
import type { Markup } from './markup.ts'
import { reference } from './notice.ts'
import { resendForm } from './welcome-page.ts'

/** The page that a mail's link opens. It changes nothing by itself: scanners of mail follow links, too. */
export function activatePage(token: string): Markup {
  return html`<div class="column">
    <div class="intro">
      <h1>Confirm your address</h1>
      <p class="lead">One press of the button, and this address belongs to your account.</p>
    </div>
    <div class="card stack">
      <form method="post" action="/activate">
        ${hidden('token', token)}<button class="button" type="submit">Confirm my address</button>
      </form>
      <p class="quiet small">Didn’t ask for this? Just close the page; nothing happens without the button.</p>
    </div>
  </div>`
}

/** How a confirmation went. */
export type ActivationResult = 'done' | 'already'

/** The page after the button. */
export function activatedPage(result: ActivationResult, signedIn: boolean): Markup {
  return html`<div class="column">
    <div class="intro" role="status">
      <h1>${result === 'done' ? 'Your address is confirmed' : 'Your address was already confirmed'}</h1>
      <p class="lead">
        ${
          result === 'done'
            ? 'Thank you. Your account is ready.'
            : 'There’s nothing left to do. Your account is ready.'
        }
      </p>
    </div>
    <p>
      <a class="button" href="${signedIn ? '/account' : '/sign-in'}"
        >${signedIn ? 'Go to your account' : 'Sign in'}</a
      >
    </p>
  </div>`
}

/** Why a link cannot be used. */
export type LinkFault = 'expired' | 'incomplete'

const faultTexts: Readonly<Record<LinkFault, readonly [title: string, text: string]>> = {
  expired: [
    'This link can no longer be used',
    'Links are good for two days, and only while the address they were sent to is the account’s.',
  ],

  incomplete: [
    'This link is incomplete',
    'Mail programs sometimes break long links. Open it from the e-mail once more, or copy the whole of it into the address bar.',
  ],
}

/** The page for a link that cannot be used, with the way to a new one. */
export function unusableLinkPage(fault: LinkFault, correlationId: string): Markup {
  const [title, text] = faultTexts[fault]
  return html`<div class="column">
    <div class="intro">
      <h1>${title}</h1>
      <p class="lead">${text}</p>
    </div>
    <div class="card stack">
      <h2>Get a new link</h2>
      ${resendForm({})}
    </div>
    ${reference(correlationId)}
  </div>`
}
