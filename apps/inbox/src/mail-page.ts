import type { Markup } from '@millrace/hono'
import { html } from 'hono/html'
import { type MailContent, textPieces } from './mail-content.ts'
import { page } from './page.ts'
import { arrival, bytes } from './plain-words.ts'
import type { MailSummary } from './stored-mail.ts'

/** The ways to look at a mail. */
export const mailViews = ['html', 'text', 'headers', 'raw'] as const
type MailView = (typeof mailViews)[number]

const viewNames: Record<MailView, string> = { html: 'HTML', text: 'Text', headers: 'Headers', raw: 'Source' }

export interface MailPageParts {
  readonly summary: MailSummary
  readonly content: MailContent
  readonly raw: Buffer
  /** What the reader asked for; by default the richest that the mail has. */
  readonly wish: MailView | undefined
}

export function mailPage({ summary, content, raw, wish }: MailPageParts): Markup {
  const views = mailViews.filter((view) => has(content, view))
  const view = wish !== undefined && views.includes(wish) ? wish : (views[0] ?? 'raw')
  const main = html`<header class="top">
      <h1>
        <a href="/"><span aria-hidden="true">← </span>Inbox</a>
      </h1>
    </header>
    <main class="mail">
      <h2><bdi>${summary.subject || '(no subject)'}</bdi></h2>
      ${facts(summary, content)}
      <nav class="views" aria-label="Ways to look at this mail">
        ${views.map(
          (each) =>
            html`<a href="/mails/${summary.id}?view=${each}" ${each === view ? 'aria-current=page' : ''}
              >${viewNames[each]}</a
            >`,
        )}
      </nav>
      ${body(view, summary, content, raw)}
    </main>`
  return page({ title: summary.subject || '(no subject)', main })
}

/** For a mail that is not there any more. */
export function noMailPage(): Markup {
  const main = html`<main class="nothing">
    <p>This mail is not here (any more).</p>
    <p><a href="/">Show the inbox</a></p>
  </main>`
  return page({ title: 'No such mail', main })
}

function has({ html: body, text, readable }: MailContent, view: MailView): boolean {
  if (view === 'raw') return true
  if (!readable) return false
  if (view === 'html') return body !== ''
  return view === 'text' ? text !== '' : true
}

function facts({ from, to, receivedAt, size }: MailSummary, { attachments }: MailContent): Markup {
  return html`<dl>
    <dt>From</dt>
    <dd><bdi>${from || '(nobody)'}</bdi></dd>
    <dt>To</dt>
    <dd><bdi>${to.join(', ')}</bdi></dd>
    <dt>Came</dt>
    <dd><time datetime="${receivedAt}">${arrival(receivedAt)}</time>, ${bytes(size)}</dd>
    ${
      attachments.length === 0
        ? ''
        : html`<dt>With</dt>
            <dd>
              ${attachments.map(({ name, type, size }) => `${name} (${type}, ${bytes(size)})`).join('; ')}
            </dd>`
    }
  </dl>`
}

function body(view: MailView, { id }: MailSummary, content: MailContent, raw: Buffer): Markup {
  switch (view) {
    case 'html':
      return html`<iframe
        title="The mail as HTML"
        src="/mails/${id}/html"
        sandbox="allow-popups allow-popups-to-escape-sandbox"
        referrerpolicy="no-referrer"
      ></iframe>`
    case 'text':
      return html`<pre tabindex="0" class="wrapped">${textPieces(content.text.trimEnd()).map(piece)}</pre>`
    case 'headers':
      return html`<div class="scroll" tabindex="0" role="region" aria-label="Headers">
        <table>
          <tbody>
            ${content.headers.map(
              ({ name, value }) =>
                html`<tr>
                  <th scope="row">${name}</th>
                  <td>${value}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`
    case 'raw':
      return html`<p><a href="/mails/${id}/raw">Download as .eml</a></p>
        <pre tabindex="0">${raw.subarray(0, maxShownBytes).toString('utf8')}</pre>`
  }
}

const maxShownBytes = 200_000

function piece({ text, link }: { readonly text: string; readonly link: boolean }): Markup {
  return link ? html`<a href="${text}" target="_blank" rel="noopener noreferrer">${text}</a>` : html`${text}`
}
