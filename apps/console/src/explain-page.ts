import type { Markup } from '@millrace/hono'
import { type Story, storyText } from '@millrace/processor'
import { html } from 'hono/html'
import { operatorPage } from './operator-page.ts'

/** A story as a page. Everything in it is text. */
export function storyPage(story: Story): Markup {
  const { title, lines, notes } = storyText(story)
  return operatorPage(
    title,
    '',
    html`<ol>
        ${lines.map(
          ({ at, since, depth, text }) =>
            html`<li>
              <time datetime="${at}" title="${at}">${since}</time><span class="depth-${depth}">${text}</span>
            </li>`,
        )}
      </ol>
      ${notes.map((note) => html`<p>${note}</p>`)}
      <p><a href="/explain">Explain something else</a></p>`,
  )
}

/** What was asked for in vain, and why there is nothing to show. */
export interface InVain {
  /** `correlation`, `event` or `key/<topic>`. */
  readonly by: string
  readonly id: string
  readonly word: string
}

/** The page that asks what is to be explained. */
export function askPage(topics: readonly string[], vain?: InVain): Markup {
  const ways = [
    ['correlation', 'correlation id'],
    ['event', 'event id'],
    ...topics.map((topic) => [`key/${topic}`, `key of ${topic}`] as const),
  ] as const
  return operatorPage(
    'What became of it?',
    '/explain',
    html`${vain === undefined ? '' : html`<p role="alert">${vain.word}</p>`}
      <p>
        A request answers its correlation id as <code>X-Correlation-Id</code>; a key is the subject of events:
        an account’s id, a buyer, <code>order/O0000004</code>, of suggestions <code>O0000004/1</code>.
      </p>
      <form method="get" action="/explain">
        <label>
          Find by
          <select name="by">
            ${ways.map(
              ([value, name]) =>
                html`<option value="${value}" ${value === vain?.by ? 'selected' : ''}>${name}</option>`,
            )}
          </select>
        </label>
        <label class="wide">
          Id or key
          <input name="id" required maxlength="500" autofocus value="${vain?.id ?? ''}" />
        </label>
        <button>Explain</button>
      </form>`,
  )
}
