import { createServer } from 'node:http'
import { type AddressInfo, createConnection } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError } from '@millrace/event'
import { problem, serviceClient } from '@millrace/hono'
import { afterEach, describe, expect, it } from 'vitest'
import { asJson, openStand } from '../testing/stand.ts'

describe('a forwarded call', () => {
  it('reaches the service with what means something to it, and nothing else', async () => {
    const { build, command, seen } = openStand()
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
    const { build, command } = openStand()
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
    const { build, command } = openStand()
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
    const { build, command } = openStand()
    command.post('/activations/resend', (c) => c.body(null, 202))
    const answer = await build().request('/activations/resend', asJson({ email: 'a@example.org' }))
    expect([answer.status, await answer.text()]).toEqual([202, ''])
  })

  it('asks user-query for an account, with the position to wait for', async () => {
    const { build, query } = openStand()
    query.get('/users/:id', (c) => c.json({ id: c.req.param('id'), after: c.req.query('after') }))
    const answer = await build().request('/users/u1?after=accounts/3/1-42&x=1')
    expect(await answer.json()).toEqual({ id: 'u1', after: 'accounts/3/1-42' })
  })

  it('never climbs out of /users with an odd id', async () => {
    const { build, command, seen } = openStand()
    command.all('*', (c) => c.json({ path: c.req.path }))
    for (const id of ['%2e%2e', '..', '%2e', 'a%2Fb', 'a%3Fb', '%F0%9F%98%80']) {
      await build().request(new Request(`http://gateway/users/${id}`, { method: 'DELETE' }))
    }
    for (const { url } of seen) expect(new URL(url).pathname).toMatch(/^\/users\/[^/]+$/)
  })

  it('keeps the bearer token of a producer to itself where no session is asked for', async () => {
    const { build, command, seen } = openStand()
    command.post('/users', (c) => c.json({}))
    await build().request('/users', asJson({}, { authorization: 'Bearer of-a-producer' }))
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
    const { build } = openStand()
    const server = createServer().listen(0, '127.0.0.1')
    stop.push(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    // At this end of a connection nobody listens, and nobody else can begin to.
    const client = createConnection((server.address() as AddressInfo).port, '127.0.0.1')
    stop.push(() => client.destroy())
    await new Promise((resolve) => client.once('connect', resolve))
    const userCommand = serviceClient({
      name: 'user-command',
      baseUrl: `http://127.0.0.1:${client.localPort}`,
    })
    const patient = { limits: { commandTimeoutMs: 60_000 } }
    const from = performance.now()
    const answer = await build({ userCommand, ...patient }).request('/users', asJson({}))
    expect(performance.now() - from).toBeLessThan(50_000)
    await expectUnavailable(answer, { service: 'user-command', outcome: 'not-sent' })
  })

  it('is answered for with 503 when it hangs', async () => {
    const { build, command } = openStand()
    command.post('/users', async (c) => {
      await delay(30_000, undefined, { ref: false })
      return c.json({})
    })
    const answer = await build({ limits: { commandTimeoutMs: 50 } }).request('/users', asJson({}))
    await expectUnavailable(answer, { service: 'user-command', outcome: 'unknown' })
  })

  it('is answered for with 503 when it stops in the middle of its answer', async () => {
    const { build, command } = openStand()
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
    const { build } = openStand()
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
    const { build, command, query } = openStand()
    command.post('/users', (c) => c.html('<h1>502 from proxy-7.internal</h1>', 502))
    await expectUnavailable(await build().request('/users', asJson({})))
    query.get('/users/1', (c) => c.html('<h1>Stack trace</h1>', 500))
    const answer = await build().request('/users/1')
    expect([answer.status, (await answer.text()).includes('Stack')]).toEqual([502, false])
  })

  it('may not answer without end', async () => {
    const { build, command } = openStand()
    command.post('/users', (c) => c.body('x'.repeat(2_000_000), 200, { 'content-type': 'application/json' }))
    const answer = await build().request('/users', asJson({}))
    expect([answer.status, await answer.json()]).toMatchObject([502, { code: 'service.failed' }])
  })
})
