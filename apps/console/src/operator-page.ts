import { htmlPage, inlineStyle, type Markup } from '@millrace/hono'
import { html } from 'hono/html'

const style = inlineStyle(`
:root { color-scheme: light dark; --text: light-dark(#1c2430, #e6e9ee); --quiet: light-dark(#4a5565, #a9b3c1);
  --line: light-dark(#d8dde5, #38424f); --paper: light-dark(#fff, #1d232c); --main: light-dark(#1f5fae, #8ab4f0);
  --on-main: light-dark(#fff, #10202f) }
* { box-sizing: border-box }
body { margin: 0; background: light-dark(#f5f6f8, #14181f); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
a { color: var(--main) }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; padding: .75rem 1.5rem; background: var(--paper);
  border-bottom: 1px solid var(--line) }
nav strong { margin-right: auto }
nav [aria-current] { color: inherit; text-decoration: none; font-weight: 600 }
main { max-width: 76rem; margin: 0 auto; padding: .5rem 1.5rem 2rem }
h1 { font-size: 1.375rem; overflow-wrap: anywhere }
p { color: var(--quiet) }
[role=alert] { color: light-dark(#9c1c1c, #ff9a9a); font-weight: 600 }
ol { list-style: none; padding: 0 }
li { display: grid; grid-template-columns: 6rem 1fr; gap: 1rem; padding: .25rem 0; border-top: 1px solid var(--line) }
time { color: var(--quiet); font-variant-numeric: tabular-nums }
li time { text-align: right }
.depth-0, .depth-1 { font-weight: 600 } .depth-2 { padding-left: 1.5rem }
li span, td { overflow-wrap: anywhere }
form { display: flex; flex-wrap: wrap; gap: .75rem 1rem; align-items: end; margin: 1rem 0 }
label { display: grid; gap: .25rem; font-size: .875rem; color: var(--quiet) }
label.wide { flex: 1 1 20rem }
input, select, button { min-height: 2.5rem; padding: .25rem .75rem; font: inherit; font-size: 1rem; color: var(--text);
  background: var(--paper); border: 1px solid light-dark(#6b7686, #78818d); border-radius: 6px; width: 100% }
button { width: auto; border-color: var(--main); background: var(--main); color: var(--on-main); font-weight: 600; cursor: pointer }
:focus-visible { outline: 3px solid light-dark(#8ab4f0, #4f83c4); outline-offset: 1px }
table { width: 100%; border-collapse: collapse; font-size: .9375rem }
th { text-align: left; font-size: .8125rem; color: var(--quiet) }
th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td code { font-size: .8125rem } td.name { overflow-wrap: normal; white-space: nowrap }
@media (max-width: 45rem) {
  table, tbody, tr, td { display: block } thead { display: none }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line) } td { border: 0; padding: .1rem 0 }
  li { grid-template-columns: 4rem 1fr; gap: .75rem }
}`)

/** Content-Security-Policy of these pages: their own style, a form to themselves, nothing else. */
export const operatorPolicy = style.policy

const places = [
  ['/explain', 'Explain'],
  ['/explain/dead-letters', 'Dead letters'],
  ['/queues/', 'Queues'],
  ['/', 'All addresses'],
] as const

/** A page for operators. Everything in it is text; `at` is the place of the menu where it lies. */
export function operatorPage(title: string, at: string, body: Markup): Markup {
  return htmlPage({
    title: `${title} · Millrace`,
    head: style.element,
    body: html`<nav aria-label="Operations">
        <strong>Millrace operations</strong>
        ${places.map(([path, name]) =>
          path === at
            ? html`<a href="${path}" aria-current="page">${name}</a>`
            : html`<a href="${path}">${name}</a>`,
        )}
      </nav>
      <main>
        <h1>${title}</h1>
        ${body}
      </main>`,
  })
}
