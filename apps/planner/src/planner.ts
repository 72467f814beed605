import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { MillraceError } from '@millrace/event'
import {
  bindingsOf,
  correlationHeader,
  headerOf,
  httpApp,
  type HttpAppOptions,
  type KitContext,
  knownHosts,
  ownOrigin,
  pagePolicy,
  readBody,
} from '@millrace/hono'

/** What {@link createPlanner} needs. */
export interface PlannerOptions {
  /** Directory with the built page. */
  readonly page: string
  /** Restocking: the page's calls are passed on to it. */
  readonly restocking: {
    readonly baseUrl: string
    readonly fetch: (request: Request) => Response | Promise<Response>
    readonly token: string
  }
  /** Host names under which it answers, as `knownHosts` has them. Default: this machine's own. */
  readonly hosts?: ReadonlySet<string> | 'any'
  readonly http: HttpAppOptions
}

/** Paths of restocking that the page may call. */
const passedOn = /^\/api(\/(?:suggestions|orders)(?:\/[^?]*)?)$/
const sentHeaders = ['accept', 'content-type', 'idempotency-key', 'last-event-id']
const answeredHeaders = ['content-type', 'cache-control', 'x-accel-buffering', 'retry-after']

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
}

/** The planner's page, and the way of its calls to restocking. It knows no login: who reaches it is a planner. */
export async function createPlanner(options: PlannerOptions) {
  const { restocking } = options
  const files = await readPage(options.page)
  const app = httpApp({ ...options.http, security: { content: 'pages' } })
  app.use(ownOrigin(options.hosts ?? knownHosts('127.0.0.1')))
  app.on(['GET', 'POST'], '/api/*', async (c) => {
    const target = passedOn.exec(c.req.path)?.[1]
    if (target === undefined) throw new MillraceError('route.unknown')
    const { search } = new URL(c.req.url)
    const body = c.req.method === 'POST' ? await readBody(c) : undefined
    // A stream of news ends with the page that reads it.
    const { stopping } = bindingsOf(c)
    const gone = c.req.raw.signal
    const request = new Request(new URL(`${target}${search}`, restocking.baseUrl), {
      method: c.req.method,
      headers: headersFor(c, restocking.token),
      signal: stopping ? AbortSignal.any([gone, stopping]) : gone,
      ...(body && body.byteLength > 0 ? { body } : {}),
    })
    const answer = await reached(restocking.fetch, request)
    const headers = new Headers()
    for (const name of answeredHeaders) {
      const value = answer.headers.get(name)
      if (value !== null) headers.set(name, value)
    }
    return new Response(answer.body, { status: answer.status, headers })
  })
  app.get('*', (c) => {
    const file = files.get(c.req.path === '/' ? '/index.html' : c.req.path)
    if (!file) throw new MillraceError('route.unknown')
    c.header('Content-Security-Policy', pagePolicy)
    // Names of built files hold their digest.
    c.header(
      'Cache-Control',
      c.req.path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    )
    return c.body(file.bytes, 200, { 'Content-Type': file.type })
  })
  return app
}

async function reached(fetch: PlannerOptions['restocking']['fetch'], request: Request): Promise<Response> {
  try {
    return await fetch(request)
  } catch (cause) {
    throw new MillraceError('service.unavailable', 'Restocking cannot be reached', { cause })
  }
}

async function readPage(directory: string) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => {
        const file = path.join(entry.parentPath, entry.name)
        const address = `/${path.relative(directory, file).split(path.sep).join('/')}`
        const type = types[path.extname(file)] ?? 'application/octet-stream'
        return [address, { type, bytes: Uint8Array.from(await readFile(file)) }] as const
      }),
  )
  return new Map(files)
}

function headersFor(c: KitContext, token: string): Headers {
  const headers = new Headers({
    Authorization: `Bearer ${token}`,
    'X-Actor': 'planner',
    [correlationHeader]: c.get('correlationId'),
    // Of this request: it is below the page's, and what is asked below it.
    traceparent: c.get('traceparent'),
  })
  for (const name of sentHeaders) {
    const value = headerOf(c, name)
    if (value !== undefined) headers.set(name, value)
  }
  return headers
}
