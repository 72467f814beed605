import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { KitEnv } from '@millrace/hono'
import { Hono } from 'hono'

const mediaTypes = {
  'site.css': 'text/css; charset=utf-8',
  'site.js': 'text/javascript; charset=utf-8',
  'mark.svg': 'image/svg+xml',
} as const

type AssetName = keyof typeof mediaTypes

interface Asset {
  readonly text: string
  /** Changes with the content, so that browsers may keep it for ever. */
  readonly href: string
}

const assets = Object.fromEntries(Object.keys(mediaTypes).map((name) => [name, readAsset(name)])) as Readonly<
  Record<AssetName, Asset>
>

function readAsset(name: string): Asset {
  const text = readFileSync(new URL(`../../assets/${name}`, import.meta.url), 'utf8')
  const stamp = createHash('sha256').update(text).digest('base64url').slice(0, 10)
  return { text, href: `/assets/${name}?v=${stamp}` }
}

/** Address of a style sheet, script or picture of the pages. */
export function assetHref(name: AssetName): string {
  return assets[name].href
}

/** Serves what the pages load, from memory. */
export function assetRoutes(): Hono<KitEnv> {
  const app = new Hono<KitEnv>()
  for (const [name, type] of Object.entries(mediaTypes) as [AssetName, string][]) {
    app.get(`/assets/${name}`, (c) =>
      c.body(assets[name].text, 200, {
        'Content-Type': type,
        // Only the address with the stamp is for ever: without it the content may change.
        'Cache-Control': c.req.query('v') === undefined ? 'no-cache' : 'public, max-age=31536000, immutable',
      }),
    )
  }
  // Asked for by browsers on pages that name no icon, such as the reference of the HTTP interface.
  app.get('/favicon.ico', (c) => c.redirect(assets['mark.svg'].href, 308))
  return app
}
