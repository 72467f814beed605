import { MillraceError, tracedCall } from '@millrace/event'
import { readBytes } from './byte-stream.ts'
import { correlationHeader } from './request-context.ts'
import type { ContextStore } from './ports.ts'
import { errorOfAnswer } from './peer-error.ts'
import { withTimeLimit } from './time-bound.ts'

/** How another service is reached. In one process `fetch` is that service's `app.fetch`. */
export interface ServiceClientOptions {
  /** What the service is called in errors and logs: `uniq`. */
  readonly name: string
  /** Such as `http://127.0.0.1:3001`. In one process any base will do; default `http://<name>.internal`. */
  readonly baseUrl?: string
  /** Default: the global fetch. */
  readonly fetch?: (request: Request) => Response | Promise<Response>
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string
  /** From the call to the last byte of the answer, in ms. Default 5,000. */
  readonly timeoutMs?: number
  /** Largest answer that {@link ServiceClient.json} takes, in bytes. Default 1,048,576. */
  readonly maxAnswerBytes?: number
  /** Where the correlation id and trace of the present request are. */
  readonly context?: Pick<ContextStore, 'current'>
}

/** One call. */
export interface ServiceCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Sent as JSON. */
  readonly body?: unknown
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  readonly idempotencyKey?: string | undefined
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** A good answer. */
export interface ServiceAnswer {
  readonly status: number
  readonly headers: Headers
  /** Parsed JSON; undefined when the answer has no body. */
  readonly body: unknown
}

/** Calls one other service. */
export interface ServiceClient {
  readonly name: string
  /**
   * Any answer of the service, its status as it is; the body is the caller's to read.
   *
   * @throws MillraceError `service.unavailable`
   */
  fetch(path: string, call?: ServiceCall): Promise<Response>
  /**
   * A good answer (below 400) as JSON.
   *
   * @throws MillraceError `service.unavailable` (no connection, a request that it says came too slowly, or no answer
   *   in time: then `details.outcome` is `unknown`, else `not-sent`); `service.failed` for an answer that cannot be
   *   understood; the peer's own error, with its code, details and field errors, when it answered a problem
   */
  json(path: string, call?: ServiceCall): Promise<ServiceAnswer>
}

/** Makes the client of one service. It keeps nothing: connections are those of `fetch`. */
export function serviceClient(options: ServiceClientOptions): ServiceClient {
  const base = options.baseUrl ?? `http://${options.name}.internal`
  const doFetch = options.fetch ?? ((request: Request) => fetch(request))
  const send = async (path: string, call: ServiceCall, signal: AbortSignal): Promise<Response> => {
    const method = call.method ?? (call.body === undefined ? 'GET' : 'POST')
    const headers = headersOf(options, call)
    const correlationId = headers[correlationHeader]
    return tracedCall({ peer: options.name, method, headers, correlationId }, async (sent) =>
      doFetch(
        new Request(urlOf(base, path, call.query), {
          ...{ method, headers: sent, redirect: 'manual', signal },
          ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        }),
      ),
    )
  }
  const bounded = <T>(call: ServiceCall, run: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    reached(
      options.name,
      withTimeLimit(call.timeoutMs ?? options.timeoutMs ?? 5_000, call.signal, options.name, run),
    )
  return {
    name: options.name,
    fetch: (path, call = {}) => bounded(call, (signal) => send(path, call, signal)),
    json: (path, call = {}) =>
      bounded(call, async (signal) => readAnswer(options, await send(path, call, signal))),
  }
}

function urlOf(base: string, path: string, query: ServiceCall['query']): string {
  const url = new URL(path, base)
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) url.searchParams.set(name, value)
  return url.href
}

function headersOf(options: ServiceClientOptions, call: ServiceCall): Record<string, string> {
  const ids = options.context?.current()
  return {
    Accept: 'application/json, application/problem+json',
    ...(call.body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...(ids ? { [correlationHeader]: ids.correlationId } : {}),
    ...(ids?.traceparent === undefined ? {} : { traceparent: ids.traceparent }),
    ...(options.token === undefined ? {} : { Authorization: `Bearer ${options.token}` }),
    ...(call.idempotencyKey === undefined ? {} : { 'Idempotency-Key': call.idempotencyKey }),
    ...call.headers,
  }
}

async function readAnswer(options: ServiceClientOptions, response: Response): Promise<ServiceAnswer> {
  const maxBytes = options.maxAnswerBytes ?? 1024 * 1024
  const tooLarge = (): MillraceError =>
    new MillraceError('service.failed', `${options.name} answered more than ${maxBytes} bytes`)
  const text = new TextDecoder().decode(await readBytes(response.body, maxBytes, tooLarge))
  if (response.status >= 400) {
    const error = errorOfAnswer(options.name, response, text)
    // The caller's own request was in order: it is this service that is set up wrongly.
    if (error.code === 'request.unauthorized' && options.token !== undefined)
      throw new MillraceError('service.failed', `${options.name} refused the token of this service`, {
        cause: error,
      })
    // It read no whole request in time, so it did nothing; how fast ours goes out is nothing of our caller's.
    if (error.code === 'request.slow')
      throw new MillraceError('service.unavailable', `${options.name} did not get the request in time`, {
        cause: error,
        details: { service: options.name, outcome: 'not-sent' },
      })
    throw error
  }
  if (text === '') return { status: response.status, headers: response.headers, body: undefined }
  try {
    return { status: response.status, headers: response.headers, body: JSON.parse(text) as unknown }
  } catch (cause) {
    throw new MillraceError('service.failed', `${options.name} answered what is not JSON`, { cause })
  }
}

const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

async function reached<T>(name: string, calling: Promise<T>): Promise<T> {
  try {
    return await calling
  } catch (error) {
    if (error instanceof MillraceError) throw error
    const code = codeOf(error)
    const outcome = code !== undefined && neverSent.has(code) ? 'not-sent' : 'unknown'
    throw new MillraceError('service.unavailable', `${name} cannot be reached${code ? ` (${code})` : ''}`, {
      cause: error,
      details: { service: name, outcome },
    })
  }
}

function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code
    if (at instanceof AggregateError && at.errors.length > 0) return codeOf(at.errors[0])
  }
  return undefined
}
