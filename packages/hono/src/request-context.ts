import { continueTrace, correlationOf } from '@millrace/event'
import { headerOf, type KitContext } from './environment.ts'
import type { ContextStore, RequestIds } from './ports.ts'

/** Header that carries the correlation id, in and out. */
export const correlationHeader = 'X-Correlation-Id'

/**
 * The correlation id and trace of a request: taken from `X-Correlation-Id` and `traceparent` when they are
 * well formed, else made. Whether a trace is recorded is decided here, once. Handlers find both in their variables.
 */
export function takeIds(c: KitContext, { sampler }: Pick<ContextStore, 'sampler'>): KnownIds {
  const ids = idsOf(headerOf(c, 'x-correlation-id'), headerOf(c, 'traceparent'), sampler)
  c.set('correlationId', ids.correlationId)
  c.set('traceparent', ids.traceparent)
  return ids
}

/** The same of the two headers alone. */
export function idsOf(
  correlation: string | undefined,
  trace: string | undefined,
  sampler: ContextStore['sampler'],
): KnownIds {
  return { correlationId: correlationOf(correlation), traceparent: continueTrace(trace, sampler) }
}

/** Ids of a request: it always has both. */
export interface KnownIds extends RequestIds {
  readonly traceparent: string
}
