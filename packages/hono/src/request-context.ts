import { freshId } from '@millrace/event'
import type { MiddlewareHandler } from 'hono'
import type { KitEnv } from './environment.ts'
import type { ContextStore } from './ports.ts'
import { withDefaultHeaders } from './response-header.ts'
import { continueTrace } from './trace-parent.ts'

const correlationPattern = /^[A-Za-z0-9._:-]{1,128}$/

/** Header that carries the correlation id, in and out. */
export const correlationHeader = 'X-Correlation-Id'

/**
 * Gives each request its correlation id and trace: taken from `X-Correlation-Id` and `traceparent` when they
 * are well formed, else made; answered in `X-Correlation-Id`; put into the store while the request runs.
 */
export function requestContext(store: ContextStore): MiddlewareHandler<KitEnv> {
  return (c, next) => {
    const given = c.req.header(correlationHeader)
    const correlationId = given !== undefined && correlationPattern.test(given) ? given : freshId()
    const traceparent = continueTrace(c.req.header('traceparent'))
    c.set('correlationId', correlationId)
    c.set('traceparent', traceparent)
    const headers = [[correlationHeader, correlationId]] as const
    return store.run({ correlationId, traceparent }, () => withDefaultHeaders(c, headers, next))
  }
}
