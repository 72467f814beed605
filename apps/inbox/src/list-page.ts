import type { Markup } from '@millrace/hono'
import { html } from 'hono/html'
import { page } from './page.ts'
import { arrival, bytes } from './plain-words.ts'
import type { MailSummary } from './stored-mail.ts'

export interface ListPageParts {
  /** Newest first, those of this page alone. */
  readonly mails: readonly MailSummary[]
  readonly found: number
  readonly total: number
  readonly query: string
  /** Continues the list with older mails. */
  readonly older: string | undefined
  /** Whether this is a page further down, which does not change by itself. */
  readonly continued: boolean
  readonly smtpUrl: string
}

export function listPage(parts: ListPageParts): Markup {
  const title = parts.query === '' ? 'Inbox' : `“${parts.query}” in the inbox`
  return page({ title, live: !parts.continued, main: html`${top(parts)}${list(parts)}` })
}

function top({ query, total, found }: ListPageParts): Markup {
  const count = query === '' ? mailCount(total) : `${found} of ${mailCount(total)}`
  return html`<header class="top">
    <h1><a href="/">Inbox</a></h1>
    <p id="count" role="status">${count}</p>
    <form class="search" role="search" action="/" method="get">
      <label class="unseen" for="q">Search by address or subject</label>
      <input id="q" name="q" type="search" value="${query}" placeholder="Search by address or subject" />
      <button>Search</button>
    </form>
    ${total === 0 ? html`<span id="clear"></span>` : clear()}
  </header>`
}

// In two steps, without a script.
function clear(): Markup {
  return html`<details id="clear">
    <summary>Delete all…</summary>
    <form action="/clear" method="post"><button>Yes, delete every mail</button></form>
  </details>`
}

function list({ mails, query, older, total, smtpUrl }: ListPageParts): Markup {
  if (mails.length === 0) {
    return html`<main id="mails" class="nothing">
      ${
        total > 0
          ? html`<p>No mail has “${query}” in its addresses or its subject.</p>
              <p><a href="/">Show all</a></p>`
          : html`<p>No mail yet.</p>
              <p>Every mail that is sent to <code>${smtpUrl}</code> appears here; none is delivered.</p>`
      }
    </main>`
  }
  return html`<main id="mails">
    <ol class="mails">
      ${mails.map(row)}
    </ol>
    ${older === undefined ? '' : html`<p class="more"><a href="${older}">Older mails</a></p>`}
  </main>`
}

function row(mail: MailSummary): Markup {
  return html`<li>
    <a href="/mails/${mail.id}">
      <span class="to"><span class="unseen">To </span><bdi>${mail.to.join(', ') || '(nobody)'}</bdi></span>
      <span class="subject"><bdi>${mail.subject || '(no subject)'}</bdi></span>
      <time datetime="${mail.receivedAt}">${arrival(mail.receivedAt)}</time>
      <span class="size">${bytes(mail.size)}</span>
    </a>
  </li>`
}

function mailCount(count: number): string {
  return count === 1 ? '1 mail' : `${count} mails`
}
