import { isSampled, tellWork, traceContextOf, workTraced } from '@millrace/event'
import { routePath } from 'hono/route'
import { headerOf, type KitContext } from './environment.ts'
import type { KitLogger, RequestMeter } from './ports.ts'

/** Options of {@link requestLog}. */
export interface RequestLogOptions {
  readonly logger: KitLogger
  readonly meter?: RequestMeter
  /** Level of the line for an answer below 500. Default `info`. */
  readonly level?: 'debug' | 'info'
}

/** Writes down requests. */
export interface RequestLog {
  /** A request has come; answers the time, in ms of the process's clock. */
  begin(): number
  /** Its answer is ready. */
  end(c: KitContext, from: number): void
}

/**
 * One line and one count a request, when its answer is ready. Paths and queries can carry tokens and
 * addresses: only the route's template is written down. Health checks and scrapes are logged as `debug`.
 */
export function requestLog(options: RequestLogOptions): RequestLog {
  const { logger, meter } = options
  const level = options.level ?? 'info'
  return {
    begin: () => {
      meter?.begin()
      return performance.now()
    },
    end: (c, from) => {
      const ms = performance.now() - from
      const [method, route, status] = [knownMethod(c.req.method), routeOf(c), c.res.status]
      meter?.end(method, route, status, ms / 1_000)
      if (workTraced()) trace(c, route, ms)
      const fields = { method, route, status, ms: Math.round(ms * 10) / 10 }
      if (status >= 500) logger.warn('request', fields)
      else if (level === 'debug' || quiet.has(route)) logger.debug('request', fields)
      else logger.info('request', fields)
    },
  }
}

/** Tells of a request whose trace is recorded, or that has failed on our side. */
function trace(c: KitContext, route: string, tookMs: number): void {
  const traceparent = c.get('traceparent')
  const { status } = c.res
  if (status < 500 && (!isSampled(traceparent) || quiet.has(route))) return
  const given = headerOf(c, 'traceparent')
  tellWork({
    kind: 'request',
    ...{ traceparent, correlationId: c.get('correlationId') },
    // Malformed, it was left out of account.
    ...(traceContextOf(given) ? { parent: given } : {}),
    ...{ startMs: Date.now() - tookMs, tookMs, method: knownMethod(c.req.method), route, status },
  })
}

/** The template of the route that answered, or `unmatched`: a label that clients cannot multiply. */
function routeOf(c: KitContext): string {
  const path = routePath(c)
  return path === '' || path === '/*' || path === '*' ? 'unmatched' : path
}

const quiet = new Set(['/health/live', '/health/ready', '/metrics'])
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

function knownMethod(method: string): string {
  return methods.has(method) ? method : 'other'
}
