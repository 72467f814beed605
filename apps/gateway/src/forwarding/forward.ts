import { MillraceError } from '@millrace/event'
import {
  correlationHeader,
  type KitContext,
  problemType,
  readJson,
  type ServiceCall,
  type ServiceClient,
} from '@millrace/hono'
import { readWithin } from './answer-body.ts'
import { answerHeaders } from './answer-headers.ts'

/** Where a call goes, and what of it. */
export interface Forwarding {
  readonly service: ServiceClient
  /** Path at the service. */
  readonly path: string
  /** From the call to the last byte of the answer, in ms. */
  readonly timeoutMs: number
  /** Base of addresses in answers. */
  readonly publicUrl: string
  /** Names of the query that go along; others stay here. */
  readonly query?: readonly string[]
  /** Whether the caller's bearer token goes along. */
  readonly secured: boolean
  /** Whether the call has a JSON body. */
  readonly body: boolean
}

/** Request headers that mean something to the services. */
const passedOn = ['Idempotency-Key', 'If-Match', 'If-None-Match'] as const

const maxAnswerBytes = 1024 * 1024

/**
 * Hands a call to a service and its answer back as it is: status, problem or body, and the headers that a
 * client may know. The gateway decides nothing here and repeats nothing: whoever got no answer repeats with
 * his `Idempotency-Key`.
 *
 * @throws MillraceError `service.unavailable` when the service cannot be reached or is not done in time,
 *   `service.failed` when it answers what is neither JSON nor a problem, and what `readJson` throws
 */
export async function forward(c: KitContext, to: Forwarding): Promise<Response> {
  const body = to.body ? await readJson(c) : undefined
  const deadline = AbortSignal.timeout(to.timeoutMs)
  const answer = await to.service.fetch(to.path, {
    method: c.req.method as NonNullable<ServiceCall['method']>,
    headers: headersFor(c, to.secured),
    query: Object.fromEntries((to.query ?? []).map((name) => [name, c.req.query(name)])),
    timeoutMs: to.timeoutMs,
    ...(to.body ? { body } : {}),
  })
  const bytes = await readWithin(answer, to.service.name, maxAnswerBytes, deadline)
  refuseStrange(to.service.name, answer, bytes)
  return new Response(bytes.byteLength === 0 ? null : bytes, {
    status: answer.status,
    headers: answerHeaders(answer, to.publicUrl),
  })
}

function headersFor(c: KitContext, secured: boolean): Record<string, string> {
  const headers: Record<string, string> = {
    [correlationHeader]: c.get('correlationId'),
    traceparent: c.get('traceparent'),
  }
  for (const name of passedOn) {
    const value = c.req.header(name)
    if (value !== undefined) headers[name] = value
  }
  const authorization = c.req.header('authorization')
  if (secured && authorization !== undefined) headers['Authorization'] = authorization
  return headers
}

/** What a proxy in between may answer is not for the public, and no client could read it. */
function refuseStrange(name: string, answer: Response, bytes: Uint8Array): void {
  const type = answer.headers.get('content-type') ?? ''
  const json = type.startsWith('application/json') || type.startsWith(problemType)
  if (json || (answer.status < 400 && bytes.byteLength === 0)) return
  const between = answer.status >= 502 && answer.status <= 504
  throw new MillraceError(
    between ? 'service.unavailable' : 'service.failed',
    `${name} answered ${answer.status}`,
    {
      details: { service: name, answered: answer.status, ...(between ? { outcome: 'unknown' } : {}) },
    },
  )
}
