import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { MillraceError } from '@millrace/event'
import type { DirectRoute } from './direct-route.ts'
import type { KitBindings } from './environment.ts'
import { answerUnreadable } from './unreadable.ts'
import { asMillraceError, problemHeaders, problemOf } from './problem.ts'

/** Where and within which bounds a server listens. Times in milliseconds. */
export interface ServeOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** 0 takes any free port. */
  readonly port: number
  /** Environment variable that sets the port, named when the port is taken. */
  readonly portVariable?: string
  /** All headers must have arrived. Default 10,000. */
  readonly headersTimeoutMs?: number
  /** The whole request must have arrived; the body limit of the app is tighter. Default 60,000. */
  readonly requestTimeoutMs?: number
  /** A connection may idle between requests. Default 65,000: longer than the usual proxy's 60 s. */
  readonly keepAliveTimeoutMs?: number
  /** Bytes of all headers of one request. Default 16,384. */
  readonly maxHeaderBytes?: number
  /** Connections at once; more are dropped. Default 10,000. */
  readonly maxConnections?: number
  /** What runs when the server stops may take this long. Default 5,000. */
  readonly stopTimeoutMs?: number
}

/** A server that listens. */
export interface HttpServer {
  /** Such as `http://127.0.0.1:3000`. */
  readonly url: string
  readonly port: number
  /**
   * Accepts nothing more, lets running requests finish within the bound, ends idle connections at once and
   * the rest at the bound. May be called again: it is the same stop.
   */
  stop(): Promise<void>
}

/** An app: anything with Hono's `fetch`. */
export interface FetchApp {
  fetch(request: Request, bindings: KitBindings): Response | Promise<Response>
  /** Asked before it. */
  readonly direct?: DirectRoute
}

/**
 * Listens with an app.
 *
 * @throws MillraceError `port.taken` in one clear sentence
 */
export async function serveHttp(app: FetchApp, options: ServeOptions): Promise<HttpServer> {
  const host = options.host ?? '127.0.0.1'
  const stopping = new AbortController()
  const listener = getRequestListener(
    (request, env) =>
      app.fetch(request, {
        incoming: env.incoming as IncomingMessage,
        outgoing: env.outgoing as ServerResponse,
        stopping: stopping.signal,
      }),
    { errorHandler: unreadableRequest },
  )
  const server = createServer(
    {
      headersTimeout: options.headersTimeoutMs ?? 10_000,
      requestTimeout: options.requestTimeoutMs ?? 60_000,
      keepAliveTimeout: options.keepAliveTimeoutMs ?? 65_000,
      maxHeaderSize: options.maxHeaderBytes ?? 16_384,
      connectionsCheckingInterval: Math.min(1_000, options.headersTimeoutMs ?? 1_000),
    },
    (incoming, outgoing) => {
      if (stopping.signal.aborted) outgoing.shouldKeepAlive = false
      const otherwise = (): void => void listener(incoming, outgoing)
      if (!app.direct?.(incoming, outgoing, otherwise)) otherwise()
    },
  )
  server.maxConnections = options.maxConnections ?? 10_000
  server.on('clientError', answerUnreadable)
  const sockets = trackSockets(server)
  const port = await listen(server, host, options)
  let stopped: Promise<void> | undefined
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    stop: () => (stopped ??= stopServer(server, sockets, stopping, options.stopTimeoutMs ?? 5_000)),
  }
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return sockets
}

function listen(server: Server, host: string, options: ServeOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, host, options)))
    server.listen(options.port, host, () => {
      server.removeAllListeners('error')
      resolve((server.address() as AddressInfo).port)
    })
  })
}

function cannotListen(cause: NodeJS.ErrnoException, host: string, options: ServeOptions): MillraceError {
  const place = `Port ${options.port} on ${host}`
  const remedy = options.portVariable
    ? `; stop that program or set ${options.portVariable} to another port`
    : ''
  const why: Record<string, string> = {
    EADDRINUSE: `${place} is already in use by another program${remedy}.`,
    EACCES: `${place} may not be listened on by this user; choose a port above 1023.`,
    EADDRNOTAVAIL: `${host} is not an address of this machine; set HOST to one that is.`,
  }
  return new MillraceError(
    'port.taken',
    why[cause.code ?? ''] ?? `${place} cannot be listened on: ${cause.message}`,
    { cause },
  )
}

async function stopServer(
  server: Server,
  sockets: ReadonlySet<Socket>,
  stopping: AbortController,
  timeoutMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  stopping.abort(new MillraceError('service.unavailable', 'The service is stopping'))
  server.closeIdleConnections()
  // Looked for now, and not at the end of every answer while nothing stops.
  const idle = setInterval(() => server.closeIdleConnections(), 10)
  const timer = setTimeout(() => {
    for (const socket of sockets) socket.destroy()
  }, timeoutMs)
  await closed
  clearInterval(idle)
  clearTimeout(timer)
}

// What no app has seen: node-server could not make a request of it, or something threw what is not an Error.
function unreadableRequest(error: unknown): Response {
  const unreadable = error instanceof Error && error.name === 'RequestError'
  const known = unreadable
    ? new MillraceError('request.malformed', error.message, { cause: error })
    : asMillraceError(error)
  return new Response(JSON.stringify(problemOf(known, { instance: '/' })), {
    status: known.status,
    headers: problemHeaders(known),
  })
}
