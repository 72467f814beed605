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
  /** The same of a request that Hono has not seen. */
  answered(request: AnsweredRequest, from: number): void
}

/** What is written down of a request. */
interface AnsweredRequest {
  readonly method: string
  /** The template of the route that answered. */
  readonly route: string
  readonly status: number
  readonly correlationId: string
  readonly traceparent: string
  /** The trace context that the caller sent. */
  readonly given: string | undefined
}

/**
 * One line and one count a request, when its answer is ready. Paths and queries can carry tokens and
 * addresses: only the route's template is written down. Health checks and scrapes are logged as `debug`.
 */
export function requestLog(options: RequestLogOptions): RequestLog {
  const { logger, meter } = options
  const level = options.level ?? 'info'
  const answered = (request: AnsweredRequest, from: number): void => {
    const { method, route, status } = request
    const ms = performance.now() - from
    meter?.end(method, route, status, ms / 1_000)
    if (workTraced()) trace(request, ms)
    const fields = { method, route, status, ms: Math.round(ms * 10) / 10 }
    if (status >= 500) logger.warn('request', fields)
    else if (level === 'debug' || quiet.has(route)) logger.debug('request', fields)
    else logger.info('request', fields)
  }
  return {
    begin: () => {
      meter?.begin()
      return performance.now()
    },
    end: (c, from) => {
      const { correlationId, traceparent } = c.var
      const [method, route, status] = [knownMethod(c.req.method), routeOf(c), c.res.status]
      answered({ method, route, status, correlationId, traceparent, given: headerOf(c, 'traceparent') }, from)
    },
    answered,
  }
}

/** Tells of a request whose trace is recorded, or that has failed on our side. */
function trace(request: AnsweredRequest, tookMs: number): void {
  const { method, route, status, correlationId, traceparent, given } = request
  if (status < 500 && (!isSampled(traceparent) || quiet.has(route))) return
  tellWork({
    kind: 'request',
    ...{ traceparent, correlationId },
    // Malformed, it was left out of account.
    ...(traceContextOf(given) ? { parent: given } : {}),
    ...{ startMs: Date.now() - tookMs, tookMs, method, route, status },
  })
}

/** The template of the route that answered, or `unmatched`: a label that clients cannot multiply. */
function routeOf(c: KitContext): string {
  const path = routePath(c)
  return path === '' || path === '/*' || path === '*' ? 'unmatched' : path
}

const quiet = new Set(['/health/live', '/health/startup', '/health/ready', '/metrics'])
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

function knownMethod(method: string): string {
  return methods.has(method) ? method : 'other'
}
