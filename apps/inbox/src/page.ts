import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

export type Markup = HtmlEscapedString | Promise<HtmlEscapedString>

export interface PageParts {
  readonly title: string
  readonly main: Markup
  /** Brings the page up to date by itself; without JavaScript it reloads. */
  readonly live?: boolean
}

/** The frame of every page. */
export function page({ title, main, live = false }: PageParts): Markup {
  const refresh = html`<noscript><meta http-equiv="refresh" content="15" /></noscript>
    <script src="/inbox.js" defer></script>`
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/inbox.css" />
        ${live ? refresh : ''}
      </head>
      <body>
        ${main}
      </body>
    </html>`
}
