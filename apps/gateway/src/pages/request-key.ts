import { freshId } from '@millrace/event'
import { html } from 'hono/html'
import type { Markup } from './markup.ts'

const name = 'request-key'

/**
 * The hidden field that makes a form one request however often it is sent: its value goes along as the
 * `Idempotency-Key`. A form that comes back with faults keeps its key.
 */
export function requestKeyField(key: string = freshId()): Markup {
  return html`<input type="hidden" name="${name}" value="${key}" />`
}

/** The key of a posted form; a fresh one where it has none that is well formed. */
export function requestKeyOf(form: Readonly<Record<string, string>>): string {
  const key = form[name]
  return key !== undefined && /^[\w-]{16,64}$/.test(key) ? key : freshId()
}
