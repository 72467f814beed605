import { freshId } from '@millrace/event'
import { headerOf, type KitContext } from './environment.ts'
import type { RequestIds } from './ports.ts'
import { continueTrace } from './trace-parent.ts'

const correlationPattern = /^[A-Za-z0-9._:-]{1,128}$/

/** Header that carries the correlation id, in and out. */
export const correlationHeader = 'X-Correlation-Id'

/**
 * The correlation id and trace of a request: taken from `X-Correlation-Id` and `traceparent` when they are
 * well formed, else made. Handlers find them in their variables.
 */
export function takeIds(c: KitContext): RequestIds {
  const given = headerOf(c, 'x-correlation-id')
  const correlationId = given !== undefined && correlationPattern.test(given) ? given : freshId()
  const traceparent = continueTrace(headerOf(c, 'traceparent'))
  c.set('correlationId', correlationId)
  c.set('traceparent', traceparent)
  return { correlationId, traceparent }
}
