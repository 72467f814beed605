import { Hono } from 'hono'
import { html } from 'hono/html'
import type { KitEnv } from './environment.ts'
import { htmlPage, inlineStyle } from './html-page.ts'

const style = inlineStyle(`
:root { color-scheme: light dark }
body { margin: 0; background: light-dark(#f5f6f8, #14181f); color: light-dark(#1c2430, #e6e9ee);
  font: 16px/1.5 system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 1rem 1.5rem }
h1 { font-size: 1.375rem }
dl { display: grid; grid-template-columns: max-content 1fr; margin: 0 }
dt, dd { margin: 0; padding: .6rem 2rem .6rem 0; border-top: 1px solid light-dark(#d8dde5, #38424f) }
a { color: light-dark(#1f5fae, #8ab4f0) }
@media (max-width: 45rem) { dl { display: block } dd { border: 0; padding-top: 0 } dt { padding-bottom: 0 } }`)

/** An address that an operator may want to open. */
export interface OpsAddress {
  readonly path: string
  /** What one finds there, and whether it asks for a token. */
  readonly shows: string
}

/** `/`: what there is on an operations listener, as a page of links for browsers, else as JSON. */
export function opsIndex(title: string, addresses: readonly OpsAddress[]): Hono<KitEnv> {
  const app = new Hono<KitEnv>()
  app.get('/', (c) => {
    c.header('Vary', 'Accept')
    if (!(c.req.header('accept') ?? '').includes('text/html')) return c.json({ title, addresses })
    c.header('Content-Security-Policy', style.policy)
    return c.html(
      htmlPage({
        title,
        head: style.element,
        body: html`<main>
          <h1>${title}</h1>
          <dl>
            ${addresses.map(
              ({ path, shows }) =>
                html`<dt><a href="${path}">${path}</a></dt>
                  <dd>${shows}</dd>`,
            )}
          </dl>
        </main>`,
      }),
    )
  })
  return app
}
