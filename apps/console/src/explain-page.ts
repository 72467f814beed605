import { hash } from 'node:crypto'
import { type Story, storyText } from '@millrace/processor'
import { html, raw } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

type Html = HtmlEscapedString | Promise<HtmlEscapedString>

const style = `
body { margin: 0; background: #f5f6f8; color: #1c2430; font: 16px/1.5 system-ui, sans-serif }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.25rem; overflow-wrap: anywhere }
ol { list-style: none; padding: 0 }
li { display: grid; grid-template-columns: 6rem 1fr; gap: 1rem; padding: .25rem 0; border-top: 1px solid #d8dde5 }
time { color: #4a5565; text-align: right; font-variant-numeric: tabular-nums }
.depth-0 { font-weight: 600 } .depth-1 { font-weight: 600 } .depth-2 { padding-left: 1.5rem }
li span { overflow-wrap: anywhere }
label, input, select, button { font: inherit; margin-right: .5rem }
@media (prefers-color-scheme: dark) {
  body { background: #14181f; color: #e6e9ee }
  li { border-color: #38424f } time { color: #a9b3c1 } a { color: #8ab4f0 }
}`

/** Content-Security-Policy of these pages: their own style, a form to themselves, nothing else. */
export const explainPolicy =
  `default-src 'none'; style-src 'sha256-${hash('sha256', style, 'base64')}'; form-action 'self'; ` +
  `base-uri 'none'; frame-ancestors 'none'`

/** A story as a page. Everything in it is text. */
export function storyPage(story: Story): Html {
  const { title, lines, notes } = storyText(story)
  return page(
    title,
    html`<ol>
        ${lines.map(
          ({ at, since, depth, text }) =>
            html`<li>
              <time datetime="${at}" title="${at}">${since}</time><span class="depth-${depth}">${text}</span>
            </li>`,
        )}
      </ol>
      ${notes.map((note) => html`<p>${note}</p>`)}`,
  )
}

/** The page that asks what is to be explained; with a word, why there is nothing else to show. */
export function askPage(topics: readonly string[], word?: string): Html {
  return page(
    'What became of it?',
    html`${word === undefined ? '' : html`<p role="alert">${word}</p>`}
      <form method="get" action="/explain">
        <label for="by">Find by</label>
        <select id="by" name="by">
          <option value="correlation">correlation id</option>
          <option value="event">event id</option>
          ${topics.map((topic) => html`<option value="key/${topic}">key of ${topic}</option>`)}
        </select>
        <label for="id">which is</label>
        <input id="id" name="id" required maxlength="500" autofocus />
        <button>Explain</button>
      </form>`,
  )
}

function page(title: string, body: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · Millrace</title>
        <link rel="icon" href="data:," />
        ${rawStyle}
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
          <p><a href="/explain">Explain something else</a></p>
        </main>
      </body>
    </html>`
}

// As it is: its digest is in the policy.
const rawStyle = raw(`<style>${style}</style>`)
