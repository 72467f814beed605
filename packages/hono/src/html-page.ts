import { hash } from 'node:crypto'
import { html, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

/** What `html` of Hono makes. */
export type Markup = HtmlEscapedString | Promise<HtmlEscapedString>

/** Parts of {@link htmlPage}. */
export interface HtmlPage {
  readonly title: string
  /** Styles and scripts. */
  readonly head: Markup
  readonly body: Markup
}

/** The frame of a page, for light and dark screens. It has no icon, so that no browser asks for one. */
export function htmlPage({ title, head, body }: HtmlPage): Markup {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        ${head}
      </head>
      <body>
        ${body}
      </body>
    </html>`
}

/** A style for the head of pages that load nothing, and the Content-Security-Policy that allows it and their own forms alone. */
export function inlineStyle(css: string): { readonly element: Markup; readonly policy: string } {
  return {
    // As it is: its digest is in the policy.
    element: raw(`<style>${css}</style>`),
    policy:
      `default-src 'none'; style-src 'sha256-${hash('sha256', css, 'base64')}'; img-src data:; form-action 'self'; ` +
      `base-uri 'none'; frame-ancestors 'none'`,
  }
}
