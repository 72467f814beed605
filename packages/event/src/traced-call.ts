import { childTrace, isSampled } from './trace-context.ts'
import { tellWork, workTraced } from './work.ts'

/** A request to another service. */
export interface TracedCall {
  /** Name of the service, or host of the address. */
  readonly peer: string
  readonly method: string
  /** Those of the request; a recorded trace goes on with a span of this call. */
  readonly headers: Readonly<Record<string, string>>
  readonly correlationId: string | undefined
}

/** Makes a call, as a span of its own when somebody traces it. A call that fails is told of in any case. */
export async function tracedCall(
  call: TracedCall,
  send: (headers: Readonly<Record<string, string>>) => Promise<Response>,
): Promise<Response> {
  const { headers, peer, method, correlationId } = call
  const { traceparent: parent } = headers
  if (!workTraced() || parent === undefined) return send(headers)
  const sampled = isSampled(parent)
  const traceparent = childTrace(parent)
  const [startMs, from] = [Date.now(), performance.now()]
  const ended = (more: { readonly status: number } | { readonly error: unknown }): void =>
    tellWork({
      kind: 'call',
      ...{ traceparent, parent, correlationId, startMs, tookMs: performance.now() - from, method, peer },
      ...more,
    })
  try {
    const answer = await send({ ...headers, traceparent })
    if (sampled || answer.status >= 500) ended({ status: answer.status })
    return answer
  } catch (error) {
    ended({ error })
    throw error
  }
}
