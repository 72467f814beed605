import { continueTrace, correlationOf } from '@millrace/event'
import { headerOf, type KitContext } from './environment.ts'
import type { ContextStore, RequestIds } from './ports.ts'

/** Header that carries the correlation id, in and out. */
export const correlationHeader = 'X-Correlation-Id'

/**
 * The correlation id and trace of a request: taken from `X-Correlation-Id` and `traceparent` when they are
 * well formed, else made. Whether a trace is recorded is decided here, once. Handlers find both in their variables.
 */
export function takeIds(c: KitContext, { sampler }: Pick<ContextStore, 'sampler'>): RequestIds {
  const correlationId = correlationOf(headerOf(c, 'x-correlation-id'))
  const traceparent = continueTrace(headerOf(c, 'traceparent'), sampler)
  c.set('correlationId', correlationId)
  c.set('traceparent', traceparent)
  return { correlationId, traceparent }
}
