import { fieldBounds } from '@millrace/accounts'
import { html } from 'hono/html'
import type { Markup } from './markup.ts'

/** A labelled input of a form. */
export interface Field {
  /** Name in the form; also its id, which the error summary links to. */
  readonly name: string
  readonly label: string
  /** Default `text`. Never `email`: browsers refuse addresses beyond ASCII there, or rewrite their host. */
  readonly type?: 'text' | 'password'
  readonly hint?: string
  /** Token of the HTML standard, so that browsers and password managers fill in the right thing. */
  readonly autocomplete: 'nickname' | 'email' | 'username' | 'new-password' | 'current-password'
  readonly value?: string
  /** What is wrong with it: text, or markup with a way out. */
  readonly fault?: string | Markup | undefined
}

/** Renders a field with its label, hint and fault, tied together for those who cannot see them. */
export function field({ name, label, type, hint, autocomplete, value, fault }: Field): Markup {
  const described = [...(hint === undefined ? [] : [`${name}-hint`]), ...(fault ? [`${name}-fault`] : [])]
  const address = autocomplete === 'email' || autocomplete === 'username'
  return html`<div class="field">
    <label for="${name}">${label}</label>
    ${hint === undefined ? '' : html`<span class="hint" id="${name}-hint">${hint}</span>`}
    ${fault ? html`<span class="fault" id="${name}-fault">${fault}</span>` : ''}
    <div>
      <input
        id="${name}"
        name="${name}"
        type="${type ?? 'text'}"
        autocomplete="${autocomplete}"
        required${
          address ? html` inputmode="email" autocapitalize="none" spellcheck="false"` : ''
        }${type === 'password' ? '' : html` dir="auto" value="${value ?? ''}"`}${
          described.length === 0 ? '' : html` aria-describedby="${described.join(' ')}"`
        }${fault ? html` aria-invalid="true"` : ''}
      />
    </div>
  </div>`
}

/** An input that nobody sees. */
export function hidden(name: string, value: string): Markup {
  return html`<input type="hidden" name="${name}" value="${value}" />`
}

/** Said wherever a new password is chosen. */
export const newPasswordHint = `At least ${fieldBounds.passwordCharacters} characters; three or four words are easy to keep in mind.`
