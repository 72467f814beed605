import type { KitEnv } from '@millrace/hono'
import { Hono } from 'hono'
import { accountRoutes } from './account-routes.ts'
import { activationRoutes } from './activation-routes.ts'
import { assetRoutes } from './assets.ts'
import { sameOrigin } from './same-origin.ts'
import { signInRoutes } from './sign-in-routes.ts'
import { signUpRoutes } from './sign-up-routes.ts'
import type { Site } from './site.ts'
import { welcomeRoutes } from './welcome-routes.ts'

/** Addresses that take a form. */
const formAddresses = ['/', '/resend', '/activate', '/sign-in', '/sign-out', '/account/*']

/** All pages, and what they load. */
export function pageRoutes(site: Site, publicOrigin: string): Hono<KitEnv> {
  const app = new Hono<KitEnv>()
  for (const address of formAddresses) app.on('POST', address, sameOrigin(publicOrigin))
  for (const routes of [signUpRoutes, welcomeRoutes, activationRoutes, signInRoutes, accountRoutes])
    app.route('/', routes(site))
  app.route('/', assetRoutes())
  return app
}
