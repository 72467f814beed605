import { MillraceError } from '@millrace/event'
import { problem } from '@millrace/hono'
import { describe, expect, it } from 'vitest'
import { asJson, openStand } from './testing/stand.ts'

describe('limits', () => {
  const twice = { burst: 2, perMinute: 1 }

  it('refuse a client that signs up too often, by page or by program', async () => {
    const { build, command } = openStand()
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

  it('see clients past proxies of our own, and believe nobody else', async () => {
    const { build, command } = openStand()
    command.post('/users', (c) => c.json({ id: 'u1' }, 201))
    const from = (app: ReturnType<typeof build>) => async (chain: string) =>
      (await app.request('/users', asJson({}, { 'x-forwarded-for': chain }))).status
    const clients = { signUp: { burst: 1, perMinute: 1 } }
    const direct = from(build({ limits: { clients } }))
    expect([await direct('192.0.2.1'), await direct('192.0.2.2')]).toEqual([201, 429])
    const behindOne = from(build({ limits: { clients, proxies: 1 } }))
    expect(await behindOne('192.0.2.1')).toBe(201)
    expect(await behindOne('forged, 192.0.2.1')).toBe(429)
    expect(await behindOne('192.0.2.1, 192.0.2.2')).toBe(201)
    const behindTwo = from(build({ limits: { clients, proxies: 2 } }))
    expect([await behindTwo('192.0.2.1, 10.0.0.1'), await behindTwo('192.0.2.2, 10.0.0.1')]).toEqual([
      201, 201,
    ])
    expect(await behindTwo('forged, 192.0.2.1, 10.0.0.1')).toBe(429)
  })

  it('can be switched off', async () => {
    const { build, command } = openStand()
    command.post('/users', (c) => c.json({ id: 'u1' }, 201))
    const app = build({ limits: { clients: false } })
    for (let turn = 0; turn < 200; turn += 1)
      expect((await app.request('/users', asJson({}))).status).toBe(201)
  })

  it('refuse bodies that are too large, not JSON or not of the right type before any service sees them', async () => {
    const { build, seen } = openStand()
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
  it('is not there unless asked for', async () => {
    const { build } = openStand()
    expect((await build().request('/topics/orders/events')).status).toBe(404)
  })
})

describe('other origins', () => {
  it('may call when they are listed', async () => {
    const { build } = openStand()
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
    const { build } = openStand()
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
    const { build, query } = openStand()
    query.get('/users/1', (c) => problem(c, new MillraceError('request.unauthorized')))
    const page = await build().request('/users/1', { headers: { accept: 'text/html' } })
    expect(page.status).toBe(401)
    expect(await page.text()).toContain('Please sign in')
    expect(page.headers.get('www-authenticate')).toBeNull()
  })
})

describe('the HTTP interface', () => {
  it('describes itself', async () => {
    const { build } = openStand()
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
