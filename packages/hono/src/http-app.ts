import { Hono } from 'hono'
import type { KitEnv } from './environment.ts'
import { notFound, onError } from './problem.ts'
import { requestFrame, type RequestFrameOptions } from './request-frame.ts'

/** What every HTTP service of Millrace stands on. */
export type HttpAppOptions = RequestFrameOptions

/**
 * A Hono app with the house's conventions in place: correlation id and trace, one log line and count a
 * request, security headers, body limits, problem details for every error, 404 and 405. See docs/http.md.
 */
export function httpApp(options: HttpAppOptions): Hono<KitEnv> {
  const app = new Hono<KitEnv>()
  app.onError(onError(options.logger))
  app.notFound(notFound)
  app.use(requestFrame(app, options))
  return app
}
