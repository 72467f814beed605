import { htmlPage, type Markup } from '@millrace/hono'
import { html } from 'hono/html'

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
  return htmlPage({
    title,
    head: html`<link rel="stylesheet" href="/inbox.css" /> ${live ? refresh : ''}`,
    body: main,
  })
}
