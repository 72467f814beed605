import { type FieldError, MillraceError } from '@millrace/event'
import type { KitContext } from '@millrace/hono'
import { html } from 'hono/html'
import type { Markup } from './markup.ts'
import { reference } from './notice.ts'

/** Why a form was not taken, as its page shows it. */
export interface FormFailure {
  readonly status: number
  /** Faults by field of the form. */
  readonly faults: ReadonlyMap<string, string>
  /** What is not about one field. */
  readonly general?: { readonly title: string; readonly text: string | Markup }
  /** Set when the operator may have to be asked. */
  readonly correlationId?: string
  readonly retryAfterSeconds?: number
}

/** A failure that the page itself finds. */
export function refused(faults: Readonly<Record<string, string>>): FormFailure {
  return { status: 400, faults: new Map(Object.entries(faults)) }
}

/** What the fields of a form are called on its page. */
export type FieldLabels = Readonly<Record<string, string>>

/**
 * What an error means to somebody who filled in a form with these fields.
 *
 * @throws the error itself when it is none that a service or the kit answers with
 */
export function failureOf(c: KitContext, error: unknown, labels: FieldLabels): FormFailure {
  if (!(error instanceof MillraceError)) throw error
  const correlationId = c.get('correlationId')
  const wait = error.details['retryAfterSeconds']
  const base = {
    status: error.status,
    faults: faultsOf(error, labels),
    ...(typeof wait === 'number' ? { retryAfterSeconds: wait } : {}),
  }
  if (base.faults.size > 0) return base
  if (error.code === 'request.limited')
    return { ...base, general: { title: 'That was a little too often', text: waitText(wait) } }
  if (error.status >= 500)
    return {
      ...base,
      general: {
        title: 'We can’t do this right now',
        text: 'Something on our side isn’t answering. Please try again in a moment. That is safe: nothing happens twice.',
      },
      correlationId,
    }
  return {
    ...base,
    general: { title: 'That didn’t work', text: sentence('This', error.message) },
    correlationId,
  }
}

/** The box above a form that was not taken. It takes the focus, and links to each field at fault. */
export function failureSummary(failure: FormFailure | undefined): Markup | '' {
  if (!failure) return ''
  const items = [...failure.faults].map(([name, fault]) => html`<li><a href="#${name}">${fault}</a></li>`)
  return html`<div class="notice wrong" role="alert" tabindex="-1" autofocus aria-labelledby="problem">
    <h2 id="problem">${failure.general?.title ?? 'Please check this again'}</h2>
    ${failure.general ? html`<p>${failure.general.text}</p>` : ''}
    ${
      items.length === 0
        ? ''
        : html`<ul>
            ${items}
          </ul>`
    }
    ${failure.correlationId === undefined ? '' : reference(failure.correlationId)}
  </div>`
}

/** Headers that belong to the failure. */
export function failureHeaders(failure: FormFailure): Record<string, string> {
  const wait = failure.retryAfterSeconds
  return wait === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(wait))) }
}

function faultsOf(error: MillraceError, labels: FieldLabels): ReadonlyMap<string, string> {
  const { field } = error.details
  const taken: FieldError[] =
    error.code === 'append.claimed' && typeof field === 'string' ? [{ field, message: takenText(field) }] : []
  const faults = new Map<string, string>()
  for (const { field: name, message } of [...error.errors, ...taken]) {
    const label = labels[name]
    if (label !== undefined) faults.set(name, sentence(label, message))
  }
  return faults
}

function takenText(field: string): string {
  return field === 'email'
    ? 'This address already has an account.'
    : 'This is taken; please choose another one.'
}

function waitText(seconds: unknown): string {
  if (typeof seconds !== 'number') return 'Please wait a moment and try again.'
  return `Please wait ${inWords(seconds)} and try again.`
}

function inWords(seconds: number): string {
  if (seconds < 60) return `${seconds} ${seconds === 1 ? 'second' : 'seconds'}`
  const minutes = Math.ceil(seconds / 60)
  return `${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`
}

/** Messages of services begin in lower case where they go on from the name of their field. */
function sentence(label: string, message: string): string {
  const text = /^\p{Ll}/u.test(message) ? `${label} ${message}` : message
  return /[.!?…]$/u.test(text) ? text : `${text}.`
}
