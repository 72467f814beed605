import { allowedOrigins, httpApp, intake, type KitEnv, openApi } from '@millrace/hono'
import type { Hono } from 'hono'
import { apiInfo } from './api/api-info.ts'
import { apiRoutes } from './api/api-routes.ts'
import { clientAddress, clientKey } from './client-key.ts'
import { clientLimits, noClientRates } from './client-limits.ts'
import { defaultGatewayLimits, type GatewayOptions } from './gateway-options.ts'
import { pageErrors } from './pages/page-errors.ts'
import { pageRoutes } from './pages/page-routes.ts'
import { VisitorCookies } from './pages/visitor-cookies.ts'
import { knownBearer } from './known-bearer.ts'

/**
 * The public face of the system: pages for people, HTTP for programs, the intake for producers. It keeps
 * nothing and decides nothing; what it is asked for is done by the services behind it.
 */
export function createGateway(options: GatewayOptions): Hono<KitEnv> {
  const { userCommand, userQuery, logger, context } = options
  const limits = { ...defaultGatewayLimits, ...options.limits }
  const publicUrl = options.publicUrl.replace(/\/+$/, '')
  const https = publicUrl.startsWith('https://')
  const app = httpApp({
    logger,
    context,
    ...(options.metrics ? { meter: options.metrics } : {}),
    body: { maxBytes: limits.bodyBytes, timeoutMs: limits.bodyTimeoutMs },
    security: https ? { hstsSeconds: 15_552_000 } : {},
  })
  const cookies = new VisitorCookies(https)
  app.use(allowedOrigins({ origins: options.cors ?? [] }), pageErrors(cookies))

  const isProducer = knownBearer(options.intake?.tokens ?? [])
  const perClient = clientLimits(limits.clients === false ? noClientRates : limits.clients, (c) =>
    isProducer(c) ? undefined : clientKey(clientAddress(c, limits.proxies)),
  )
  const services = { userCommand, userQuery, limits: perClient }
  const times = { commandTimeoutMs: limits.commandTimeoutMs, queryTimeoutMs: limits.queryTimeoutMs }
  app.route('/', apiRoutes({ ...services, ...times, publicUrl }))
  if (options.intake) app.route('/', intake({ ...options.intake, logger }))
  app.route(
    '/',
    pageRoutes(
      { ...services, ...times, cookies, privateSignUp: options.privateSignUp ?? false },
      new URL(publicUrl).origin,
    ),
  )
  openApi(app, apiInfo)
  return app
}
