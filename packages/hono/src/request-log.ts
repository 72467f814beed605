import { routePath } from 'hono/route'
import type { KitContext } from './environment.ts'
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
      const fields = { method, route, status, ms: Math.round(ms * 10) / 10 }
      if (status >= 500) logger.warn('request', fields)
      else if (level === 'debug' || quiet.has(route)) logger.debug('request', fields)
      else logger.info('request', fields)
    },
  }
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
