import { html } from 'hono/html'
import type { Markup } from './markup.ts'
import { reference } from './notice.ts'

interface ErrorText {
  readonly title: string
  readonly text: string
}

const texts: Readonly<Record<number, ErrorText>> = {
  401: { title: 'Please sign in', text: 'This page belongs to an account.' },
  403: {
    title: 'This form isn’t from here',
    text: 'It was sent from a page of another site, or from a page that has been open for too long. Nothing has happened. Load the page again and send the form from there.',
  },
  404: { title: 'There’s nothing here', text: 'Perhaps the address was mistyped, or the page has moved.' },
  405: {
    title: 'There’s nothing here',
    text: 'This address only takes forms. Please go back to the page with the form.',
  },
  408: { title: 'That took too long', text: 'Your request did not arrive in time. Please try again.' },
  413: {
    title: 'That is too much',
    text: 'What you sent is larger than any form of ours. Please send less.',
  },
  429: { title: 'That was a little too often', text: 'Please wait a minute and try again.' },
  503: {
    title: 'We can’t do this right now',
    text: 'A part of the system isn’t answering. Nothing was lost; please try again in a moment.',
  },
  504: {
    title: 'One moment, please',
    text: 'Your change is saved, but this page hasn’t caught up with it yet. Please load it again.',
  },
}

const ours: ErrorText = {
  title: 'Something went wrong on our side',
  text: 'It’s not your fault, and we’ve taken a note. Please try again; if it happens once more, tell us.',
}

const yours: ErrorText = { title: 'That didn’t work', text: 'The request could not be understood.' }

/** What a page for this status is called. */
export function errorTitle(status: number): string {
  return textOf(status).title
}

/** The page for an error that no form can show. */
export function errorPage(status: number, correlationId: string): Markup {
  const { title, text } = textOf(status)
  return html`<div class="column">
    <div class="intro">
      <h1>${title}</h1>
      <p class="lead">${text}</p>
    </div>
    <div class="actions"><a class="button" href="/">Back to the start</a></div>
    ${reference(correlationId)}
  </div>`
}

function textOf(status: number): ErrorText {
  return texts[status] ?? (status >= 500 ? ours : yours)
}
