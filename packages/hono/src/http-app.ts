import { MillraceError } from '@millrace/event'
import { Hono } from 'hono'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { type BodyLimits, bodyLimit } from './body.ts'
import type { KitEnv } from './environment.ts'
import type { ContextStore, KitLogger, RequestMeter } from './ports.ts'
import { notFound, onError, problem } from './problem.ts'
import { requestContext } from './request-context.ts'
import { requestLog } from './request-log.ts'
import { type SecurityHeadersOptions, securityHeaders } from './security-headers.ts'
import { wellFormed } from './well-formed.ts'

/** What every HTTP service of Millrace stands on. */
export interface HttpAppOptions {
  readonly logger: KitLogger
  readonly context: ContextStore
  readonly meter?: RequestMeter
  readonly body?: BodyLimits
  readonly security?: SecurityHeadersOptions
  /** Level of the line a request for answers below 500. Default `info`. */
  readonly requestLogLevel?: 'debug' | 'info'
}

/**
 * A Hono app with the house's conventions in place: correlation id and trace, one log line and count a
 * request, security headers, body limits, problem details for every error, 404 and 405. See docs/http.md.
 */
export function httpApp(options: HttpAppOptions): Hono<KitEnv> {
  const app = new Hono<KitEnv>()
  app.onError(onError(options.logger))
  app.notFound(notFound)
  app.use(
    requestContext(options.context),
    requestLog({
      logger: options.logger,
      ...(options.meter ? { meter: options.meter } : {}),
      ...(options.requestLogLevel ? { level: options.requestLogLevel } : {}),
    }),
    securityHeaders(options.security),
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, allow) =>
        problem(
          c,
          new MillraceError('route.method', `${c.req.method} is not allowed here`, { details: { allow } }),
        ),
    }),
    wellFormed(),
    bodyLimit(options.body),
  )
  return app
}
