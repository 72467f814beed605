import { html } from 'hono/html'
import type { Markup } from './markup.ts'

/** Good or neutral news. */
export type News = readonly [title: string, text: string]

/** News on top of a page; read out when the page appears. */
export function news([title, text]: News): Markup {
  return html`<div class="notice" role="status">
    <h2>${title}</h2>
    <p>${text}</p>
  </div>`
}

/** The number by which the operator finds a request. */
export function reference(correlationId: string): Markup {
  return html`<p class="reference">If you write to us, please quote <code>${correlationId}</code></p>`
}
