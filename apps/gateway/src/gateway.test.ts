import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError, topic } from '@millrace/event'
import { createMemoryLog } from '@millrace/log'
import { type KitEnv, problem, serviceClient } from '@millrace/hono'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createGateway } from './gateway.ts'
import type { GatewayOptions } from './gateway-options.ts'

const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing }
const context = { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined }
const intakeToken = 'intake-token-of-the-test'

function nothing(): void {
  // A test reads answers, not logs.
}

let command: Hono<KitEnv>
let query: Hono<KitEnv>
let seen: Request[]

beforeEach(() => {
  seen = []
  command = new Hono<KitEnv>()
  query = new Hono<KitEnv>()
})

function build(options: Partial<GatewayOptions> = {}) {
  const client = (name: string, app: Hono<KitEnv>) =>
    serviceClient({
      name,
      fetch: (request) => {
        seen.push(request.clone())
        return app.fetch(request)
      },
    })
  return createGateway({
    userCommand: client('user-command', command),
    userQuery: client('user-query', query),
    publicUrl: 'https://accounts.example.org',
    logger: silent,
    context,
    ...options,
  })
}

const asJson = (body: unknown, headers: Record<string, string> = {}) => ({
  method: 'POST',
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
})

describe('a forwarded call', () => {
  it('reaches the service with what means something to it, and nothing else', async () => {
    command.patch('/users/:id', (c) => c.json({ ok: true }))
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await build().request('/users/7?spy=1', {
      ...asJson({ email: 'a@example.org' }),
      method: 'PATCH',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer a.b.c',
        'idempotency-key': 'k1',
        'if-match': '"3"',
        'x-correlation-id': 'c-1',
        traceparent,
        cookie: 'secret=1',
        'x-forwarded-for': '10.0.0.1',
      },
    })
    const [request] = seen
    expect(new URL(request?.url ?? '')).toMatchObject({ pathname: '/users/7', search: '' })
    const headers = Object.fromEntries(request?.headers ?? [])
    expect(headers).toMatchObject({
      authorization: 'Bearer a.b.c',
      'idempotency-key': 'k1',
      'if-match': '"3"',
      'x-correlation-id': 'c-1',
    })
    expect(headers['traceparent']).toContain('0af7651916cd43dd8448eb211c80319c')
    expect(headers).not.toHaveProperty('cookie')
    expect(headers).not.toHaveProperty('x-forwarded-for')
    expect(await request?.json()).toEqual({ email: 'a@example.org' })
  })

  it('gives status, body, ETag and the public Location back, and no header of the inside', async () => {
    command.post('/users', (c) =>
      c.json({ id: 'u1' }, 201, {
        Location: 'http://127.0.0.1:3004/users/u1',
        ETag: '"1"',
        'X-Inside': 'secret',
        'Set-Cookie': 'a=b',
      }),
    )
    const answer = await build().request('/users', asJson({}, { 'x-correlation-id': 'c-2' }))
    expect(answer.status).toBe(201)
    expect(await answer.json()).toEqual({ id: 'u1' })
    expect(answer.headers.get('location')).toBe('https://accounts.example.org/users/u1')
    expect(answer.headers.get('etag')).toBe('"1"')
    expect(answer.headers.get('x-correlation-id')).toBe('c-2')
    expect(answer.headers.get('x-inside')).toBeNull()
    expect(answer.headers.get('set-cookie')).toBeNull()
    expect(answer.headers.get('strict-transport-security')).toContain('max-age')
  })

  it('gives a problem back byte by byte, with the headers that belong to it', async () => {
    command.post('/sessions', (c) => {
      const details = { retryAfterSeconds: 7, constraint: 'email' }
      return problem(c, new MillraceError('request.limited', 'Slower', { details }))
    })
    const direct = await (await command.request('/sessions', { method: 'POST' })).text()
    const answer = await build().request('/sessions', asJson({}))
    expect(answer.status).toBe(429)
    expect(answer.headers.get('retry-after')).toBe('7')
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.text()).toBe(direct)
  })

  it('passes an answer without a body', async () => {
    command.post('/activations/resend', (c) => c.body(null, 202))
    const answer = await build().request('/activations/resend', asJson({ email: 'a@example.org' }))
    expect([answer.status, await answer.text()]).toEqual([202, ''])
  })

  it('asks user-query for an account, with the position to wait for', async () => {
    query.get('/users/:id', (c) => c.json({ id: c.req.param('id'), after: c.req.query('after') }))
    const answer = await build().request('/users/u1?after=accounts/3/1-42&x=1')
    expect(await answer.json()).toEqual({ id: 'u1', after: 'accounts/3/1-42' })
  })

  it('never climbs out of /users with an odd id', async () => {
    command.all('*', (c) => c.json({ path: c.req.path }))
    for (const id of ['%2e%2e', '..', '%2e', 'a%2Fb', 'a%3Fb', '%F0%9F%98%80']) {
      await build().request(new Request(`http://gateway/users/${id}`, { method: 'DELETE' }))
    }
    for (const { url } of seen) expect(new URL(url).pathname).toMatch(/^\/users\/[^/]+$/)
  })

  it('keeps the bearer token of a producer to itself where no session is asked for', async () => {
    command.post('/users', (c) => c.json({}))
    await build().request('/users', asJson({}, { authorization: `Bearer ${intakeToken}` }))
    expect(seen[0]?.headers.get('authorization')).toBeNull()
  })
})

describe('a service that does not do its part', () => {
  const stop: (() => void)[] = []
  afterEach(() => stop.splice(0).forEach((end) => end()))

  async function expectUnavailable(answer: Response, part: object = {}): Promise<void> {
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await answer.json()).toMatchObject({ code: 'service.unavailable', ...part })
  }

  it('is answered for with 503 at once when it cannot be reached', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => server.close(resolve))
    const userCommand = serviceClient({ name: 'user-command', baseUrl: `http://127.0.0.1:${port}` })
    const from = performance.now()
    const answer = await build({ userCommand }).request('/users', asJson({}))
    expect(performance.now() - from).toBeLessThan(2_000)
    await expectUnavailable(answer, { service: 'user-command', outcome: 'not-sent' })
  })

  it('is answered for with 503 when it hangs', async () => {
    command.post('/users', async (c) => {
      await delay(30_000, undefined, { ref: false })
      return c.json({})
    })
    const answer = await build({ limits: { commandTimeoutMs: 50 } }).request('/users', asJson({}))
    await expectUnavailable(answer, { service: 'user-command', outcome: 'unknown' })
  })

  it('is answered for with 503 when it stops in the middle of its answer', async () => {
    command.post('/users', () => {
      const body = new ReadableStream({
        start: (controller) => controller.enqueue(new TextEncoder().encode('{"id":')),
      })
      return new Response(body, { headers: { 'content-type': 'application/json' } })
    })
    const answer = await build({ limits: { commandTimeoutMs: 50 } }).request('/users', asJson({}))
    await expectUnavailable(answer, { outcome: 'unknown' })
  })

  it('is answered for with 503 when its connection breaks in the middle', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
      response.write('{"id":', () => response.destroy())
    })
    server.listen(0, '127.0.0.1')
    stop.push(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const userCommand = serviceClient({ name: 'user-command', baseUrl: `http://127.0.0.1:${port}` })
    await expectUnavailable(await build({ userCommand }).request('/users', asJson({})))
  })

  it('hides what a proxy before it says', async () => {
    command.post('/users', (c) => c.html('<h1>502 from proxy-7.internal</h1>', 502))
    await expectUnavailable(await build().request('/users', asJson({})))
    query.get('/users/1', (c) => c.html('<h1>Stack trace</h1>', 500))
    const answer = await build().request('/users/1')
    expect([answer.status, (await answer.text()).includes('Stack')]).toEqual([502, false])
  })

  it('may not answer without end', async () => {
    command.post('/users', (c) => c.body('x'.repeat(2_000_000), 200, { 'content-type': 'application/json' }))
    const answer = await build().request('/users', asJson({}))
    expect([answer.status, await answer.json()]).toMatchObject([502, { code: 'service.failed' }])
  })
})

describe('limits', () => {
  const twice = { burst: 2, perMinute: 1 }

  it('refuse a client that signs up too often, by page or by program', async () => {
    command.post('/users', (c) => c.json({ id: 'u1' }, 201))
    const app = build({ limits: { clients: { signUp: twice } } })
    expect((await app.request('/users', asJson({}))).status).toBe(201)
    const form = new URLSearchParams({ username: 'a', email: 'a@example.org', password: 'p' })
    const post = { method: 'POST', body: form, headers: { 'sec-fetch-site': 'same-origin' } }
    expect((await app.request('/', post)).status).toBe(303)
    const refused = await app.request('/users', asJson({}))
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    const page = await app.request('/', post)
    expect(page.status).toBe(429)
    expect(page.headers.get('retry-after')).not.toBeNull()
    expect(await page.text()).toContain('value="a@example.org"')
  })

  it('can be switched off, and let pass who shows an intake token', async () => {
    command.post('/users', (c) => c.json({ id: 'u1' }, 201))
    const all = async (app: ReturnType<typeof build>, headers = {}) => {
      const answers = await Promise.all(
        [1, 2, 3, 4].map(async () => app.request('/users', asJson({}, headers))),
      )
      return answers.map(({ status }) => status)
    }
    expect(await all(build({ limits: { clients: false } }))).toEqual([201, 201, 201, 201])
    const intake = { topics: [], tokens: [intakeToken], log: createMemoryLog() }
    const limited = build({ intake, limits: { clients: { signUp: twice } } })
    expect(await all(limited, { authorization: `Bearer ${intakeToken}` })).toEqual([201, 201, 201, 201])
    expect(await all(limited, { authorization: 'Bearer other' })).toEqual([201, 201, 429, 429])
  })

  it('refuse bodies that are too large, not JSON or not of the right type before any service sees them', async () => {
    const app = build({ limits: { bodyBytes: 100 } })
    const statuses = [
      (await app.request('/users', asJson({ username: 'x'.repeat(200) }))).status,
      (await app.request('/users', asJson('{"a":'))).status,
      (await app.request('/users', asJson('{"__proto__":1}'))).status,
      (await app.request('/users', { method: 'POST', body: 'a=b' })).status,
    ]
    expect(statuses).toEqual([413, 400, 400, 415])
    expect(seen).toEqual([])
  })
})

describe('the intake', () => {
  it('takes and gives events of the topics below one token', async () => {
    const orders = topic('orders', { types: { placed: z.object({ item: z.string() }) } })
    const app = build({ intake: { topics: [orders], tokens: [intakeToken], log: createMemoryLog() } })
    const headers = { authorization: `Bearer ${intakeToken}`, 'content-type': 'application/cloudevents+json' }
    const event = {
      specversion: '1.0',
      id: 'e1',
      source: '/test',
      type: 'placed',
      subject: 'o1',
      data: { item: 'lamp' },
    }
    const posted = await app.request('/topics/orders/events', asJson(event, headers))
    expect(posted.status).toBe(200)
    const read = await app.request('/topics/orders/events', { headers })
    expect(await read.text()).toContain('"lamp"')
    expect((await app.request('/topics/orders/events')).status).toBe(401)
  })

  it('is not there unless asked for', async () => {
    expect((await build().request('/topics/orders/events')).status).toBe(404)
  })
})

describe('other origins', () => {
  it('may call when they are listed', async () => {
    const app = build({ cors: ['https://app.example.org'] })
    const preflight = (origin: string) =>
      app.request('/users', {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'idempotency-key',
        },
      })
    const allowed = await preflight('https://app.example.org')
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.org')
    expect(allowed.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('idempotency-key')
    const refused = await preflight('https://evil.example.org')
    expect(refused.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('what is not there', () => {
  it('is a page for a person and a problem for a program', async () => {
    const app = build()
    const page = await app.request('/nowhere', {
      headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
    })
    expect(page.status).toBe(404)
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'")
    const correlationId = page.headers.get('x-correlation-id') ?? 'missing'
    expect(await page.text()).toContain(correlationId)
    for (const accept of ['*/*', 'application/json', 'application/json, text/html'])
      expect((await app.request('/nowhere', { headers: { accept } })).headers.get('content-type')).toBe(
        'application/problem+json',
      )
  })

  it('is a page, too, when a person opens an address of the HTTP interface', async () => {
    query.get('/users/1', (c) => problem(c, new MillraceError('request.unauthorized')))
    const page = await build().request('/users/1', { headers: { accept: 'text/html' } })
    expect(page.status).toBe(401)
    expect(await page.text()).toContain('Please sign in')
    expect(page.headers.get('www-authenticate')).toBeNull()
  })
})

describe('the HTTP interface', () => {
  it('describes itself', async () => {
    const document = (await (await build().request('/openapi.json')).json()) as {
      paths: Record<string, Record<string, { operationId: string; requestBody?: unknown }>>
    }
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, about]) => `${method} ${path}: ${about.operationId}`),
    )
    expect(operations.toSorted()).toEqual([
      'delete /users/{id}: closeAccount',
      'get /users/{id}: readAccount',
      'patch /users/{id}: changeAddress',
      'post /activations/resend: resendLinkTo',
      'post /activations: activate',
      'post /sessions: signIn',
      'post /users/{id}/activation: resendLink',
      'post /users/{id}/password: changePassword',
      'post /users: signUp',
    ])
    expect(document.paths['/users']?.['post']?.requestBody).toMatchObject({
      content: { 'application/json': { schema: { required: ['username', 'email', 'password'] } } },
    })
    expect((await build().request('/docs')).status).toBe(200)
  })
})
