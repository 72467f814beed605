import type { IncomingMessage, ServerResponse } from 'node:http'
import type { MillraceError } from '@millrace/event'
import { arrivedIn, defaultBodyLimits, utf8 } from './body.ts'
import { assertJsonType, safeJson } from './json-body.ts'
import { logged, problemHeaders, problemOf } from './problem.ts'
import { correlationHeader, idsOf, type KnownIds } from './request-context.ts'
import type { RequestFrameOptions } from './request-frame.ts'
import { requestLog } from './request-log.ts'
import { securityHeaderList } from './security-headers.ts'

/** A request as the handler of a {@link directRoute} sees it. */
export interface DirectRequest {
  readonly ids: KnownIds
  /** A header, by its name in lower case. */
  header(name: string): string | undefined
  /** The body, as `readJson` reads it. @throws MillraceError `request.media-type`, `json.invalid` */
  json(): unknown
}

/** What a {@link directRoute} needs beside what an app needs. */
export interface DirectRouteOptions extends Omit<RequestFrameOptions, 'refuse'> {
  readonly method: 'POST'
  /** The whole address: with a query it is another one. */
  readonly path: string
  readonly refuse?: (request: DirectRequest) => MillraceError | undefined
}

/**
 * Answers a request, or says by false that it is none for it. Where that turns out later, `otherwise` is called, and
 * nothing has been read of the request.
 */
export type DirectRoute = (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  otherwise: () => void,
) => boolean

/**
 * A route that takes small requests from Node itself, in the frame that all requests have, and answers 200 with JSON:
 * Hono, its objects of the Fetch standard and its layers are a fifth of what such a request costs. For the one route of
 * a service that all of its load goes to. The app must have the same route, because everything that is out of the
 * ordinary goes there: another address, a body that is large, slow, chunked or compressed, callers in the same process.
 */
export function directRoute(
  options: DirectRouteOptions,
  handle: (request: DirectRequest) => Promise<unknown>,
): DirectRoute {
  const { method, path, context } = options
  const { maxBytes } = { ...defaultBodyLimits, ...options.body }
  const answering = answerer(options)
  const begin = (call: Call): Promise<unknown> => {
    const fault = options.refuse?.(call)
    if (!fault) return handle(call)
    // As Hono calls it, whose layers refuse before there is a route.
    call.route = 'unmatched'
    throw fault
  }
  const take = ({ incoming, outgoing, otherwise }: Waiting): void => {
    const body = arrivedIn(incoming)
    if (!body) return otherwise()
    const ids = idsOf(
      headerIn(incoming, 'x-correlation-id'),
      headerIn(incoming, 'traceparent'),
      context.sampler,
    )
    const call = new Call(incoming, outgoing, body, ids, path)
    // All of it, the line in the log that comes with the answer included.
    context.run(ids, () => answering(call, () => begin(call)))
  }
  // All that one turn of the event loop brings is first read, and then taken, one stage after the other: code and data of a
  // stage stay in the processor's caches. Taken one by one as they come, requests cost a tenth more.
  let waiting: Waiting[] = []
  const takeWaiting = (): void => {
    const all = waiting
    waiting = []
    for (const one of all) take(one)
  }
  return (incoming, outgoing, otherwise) => {
    if (incoming.url !== path || incoming.method !== method) return false
    const { headers } = incoming
    const length = Number(headers['content-length'] ?? 0)
    if (length === 0 || length > maxBytes || headers['content-encoding'] !== undefined) return false
    if (waiting.length === 0) setImmediate(takeWaiting)
    waiting.push({ incoming, outgoing, otherwise })
    return true
  }
}

/** A request that was read, and what to do where it is none for a direct route. */
interface Waiting {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly otherwise: () => void
}

class Call implements DirectRequest {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly ids: KnownIds
  route: string
  readonly #body: Uint8Array

  constructor(
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    body: Uint8Array,
    ids: KnownIds,
    route: string,
  ) {
    this.incoming = incoming
    this.outgoing = outgoing
    this.#body = body
    this.ids = ids
    this.route = route
  }

  header(name: string): string | undefined {
    return headerIn(this.incoming, name)
  }

  json(): unknown {
    assertJsonType(this.header('content-type'))
    return safeJson(utf8(this.#body))
  }
}

function headerIn({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** What runs a handler, answers, and writes the request down. */
function answerer(options: DirectRouteOptions): (call: Call, act: () => Promise<unknown>) => void {
  const { method, path, logger, meter, requestLogLevel: level } = options
  const log = requestLog({ logger, ...(meter ? { meter } : {}), ...(level ? { level } : {}) })
  const security = securityHeaderList(options.security)
  const defaults = Object.fromEntries(security)
  const headed = ['Content-Type', 'application/json', ...security.flat()]

  const done = ({ incoming, outgoing, ids, route }: Call, status: number, from: number): boolean => {
    const { correlationId, traceparent } = ids
    const given = headerIn(incoming, 'traceparent')
    log.answered({ method, route, status, correlationId, traceparent, given }, from)
    // The caller may be gone.
    return !outgoing.destroyed
  }
  const fail = (call: Call, error: unknown, from: number): void => {
    const { correlationId } = call.ids
    const known = logged(logger, error, method)
    const text = JSON.stringify(problemOf(known, { instance: path, correlationId }))
    if (!done(call, known.status, from)) return
    const own = { [correlationHeader]: correlationId, 'Content-Length': Buffer.byteLength(text) }
    call.outgoing.writeHead(known.status, { ...defaults, ...problemHeaders(known), ...own })
    call.outgoing.end(text)
  }
  const succeed = (call: Call, value: unknown, from: number): void => {
    let text: string
    try {
      text = JSON.stringify(value ?? null)
    } catch (error) {
      return fail(call, error, from)
    }
    if (!done(call, 200, from)) return
    const own = [correlationHeader, call.ids.correlationId, 'Content-Length', Buffer.byteLength(text)]
    call.outgoing.writeHead(200, [...headed, ...own])
    call.outgoing.end(text)
  }
  return (call, act) => {
    const from = log.begin()
    try {
      act().then(
        (value) => succeed(call, value, from),
        (error: unknown) => fail(call, error, from),
      )
    } catch (error) {
      fail(call, error, from)
    }
  }
}
