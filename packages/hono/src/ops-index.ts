import { Hono } from 'hono'
import { html } from 'hono/html'
import type { KitEnv } from './environment.ts'
import { pagePolicy } from './security-headers.ts'

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
    c.header('Content-Security-Policy', pagePolicy)
    return c.html(
      html`<!doctype html>
        <html lang="en">
          <head>
            <meta charset="utf-8" />
            <meta name="viewport" content="width=device-width, initial-scale=1" />
            <meta name="color-scheme" content="light dark" />
            <title>${title}</title>
            <link rel="icon" href="data:," />
          </head>
          <body>
            <main>
              <h1>${title}</h1>
              <ul>
                ${addresses.map(({ path, shows }) => html`<li><a href="${path}">${path}</a>: ${shows}</li>`)}
              </ul>
            </main>
          </body>
        </html>`,
    )
  })
  return app
}
