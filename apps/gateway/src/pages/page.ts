import { type KitContext, pagePolicy } from '@millrace/hono'
import { html } from 'hono/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { assetHref } from './assets.ts'
import type { Markup } from './markup.ts'

/** One page. */
export interface Page {
  /** Of the window; the name of the site is added. */
  readonly title: string
  readonly body: Markup
  /** Default 200. */
  readonly status?: number
  /** Which links the head of the page offers. */
  readonly visitor: 'guest' | 'signed-in'
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * Answers with a page. Its policy allows nothing inline and nothing from elsewhere. `same-origin` and not the
 * kit's `no-referrer`: under that one browsers send `Origin: null` with a form, and no form could be told from
 * a forged one.
 */
export function showPage(c: KitContext, page: Page): Response | Promise<Response> {
  return c.html(document(page), (page.status ?? 200) as ContentfulStatusCode, {
    'Content-Security-Policy': pagePolicy,
    'Referrer-Policy': 'same-origin',
    'Cache-Control': 'no-store',
    ...page.headers,
  })
}

function document({ title, body, visitor }: Page): Markup {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title} – Millrace</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" href="${assetHref('mark.svg')}" type="image/svg+xml" />
        <link rel="stylesheet" href="${assetHref('site.css')}" />
        <script src="${assetHref('site.js')}" defer></script>
      </head>
      <body>
        <header class="masthead">
          <a class="brand" href="/">${mark}Millrace</a>
          <nav aria-label="Account">${visitor === 'guest' ? guestLinks : ownerLinks}</nav>
        </header>
        <main>${body}</main>
        <footer class="colophon">
          <div>
            <span>Millrace accounts</span>
            <a href="/docs">For developers: the HTTP interface</a>
          </div>
        </footer>
      </body>
    </html> `
}

const mark = html`<svg
  viewBox="0 0 32 32"
  fill="none"
  stroke="currentColor"
  stroke-width="3"
  stroke-linecap="round"
  aria-hidden="true"
  class="mark"
>
  <path d="M4 11c4-5 8-5 12 0s8 5 12 0" />
  <path d="M4 21c4-5 8-5 12 0s8 5 12 0" />
</svg>`
const guestLinks = html`<a href="/sign-in">Sign in</a>`
const ownerLinks = html`<a href="/account">Your account</a>`
