import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { allowedOrigins } from './allowed-origins.ts'
import { bearerToken } from './bearer-token.ts'
import { readForm } from './form-body.ts'
import { httpApp } from './http-app.ts'
import { opsApp } from './ops-app.ts'
import type { ReadinessReport } from './ports.ts'
import { rateLimit } from './rate-limit.ts'
import { timeLimit } from './time-limit.ts'
import { TokenBuckets } from './token-buckets.ts'

const seed = testSeed()

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const context = { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined }
const http = { logger: silent, context }

describe('bearerToken', () => {
  const app = httpApp(http)
  app.get('/', bearerToken({ tokens: ['old-token', 'new-token', ''] }), (c) => c.text('in'))
  app.get('/closed', bearerToken({ tokens: [] }), (c) => c.text('in'))
  const ask = (authorization?: string, path = '/') =>
    app.request(path, authorization === undefined ? {} : { headers: { authorization } })

  it.each(['Bearer old-token', 'bearer new-token', 'Bearer  new-token '])(
    'lets %j in',
    async (authorization) => {
      expect((await ask(authorization)).status).toBe(200)
    },
  )

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer wrong',
    'Basic old-token',
    'Bearer old-token x',
    'old-token',
  ])('keeps %j out with 401 and says how to get in', async (authorization) => {
    const answer = await ask(authorization)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="millrace"')
    expect(await answer.json()).toMatchObject({ code: 'request.unauthorized' })
  })

  it('without tokens is closed', async () => {
    expect((await ask('Bearer x', '/closed')).status).toBe(401)
  })
})

describe('rateLimit', () => {
  it('answers 429 with Retry-After to who asks too often, and to nobody else', async () => {
    let now = 0
    const app = httpApp(http)
    const key = (c: { req: { header(name: string): string | undefined } }) => c.req.header('x-who')
    app.get('/', rateLimit({ burst: 2, perSecond: 0.5, key, clock: { now: () => now } }), (c) => c.text('ok'))
    const ask = async (who?: string) =>
      app.request('/', who === undefined ? {} : { headers: { 'x-who': who } })
    expect([(await ask('a')).status, (await ask('a')).status]).toEqual([200, 200])
    const refused = await ask('a')
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('2')
    expect(await refused.json()).toMatchObject({ code: 'request.limited', retryAfterSeconds: 2 })
    expect([(await ask('b')).status, (await ask()).status]).toEqual([200, 200])
    now = 2_000
    expect([(await ask('a')).status, (await ask('a')).status]).toEqual([200, 429])
  })
})

describe('TokenBuckets', () => {
  it(`never lets more through than burst + rate × time, nor less when asked steadily (seed ${seed})`, () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat(500), { minLength: 1, maxLength: 200 }),
        (burst, gaps) => {
          let now = 0
          const buckets = new TokenBuckets({ burst, perSecond: 10, clock: { now: () => now } })
          let taken = 0
          for (const gap of gaps) {
            now += gap
            if (buckets.take('k') === 0) taken += 1
          }
          expect(taken).toBeLessThanOrEqual(burst + now / 100 + 1e-6)
        },
      ),
      { seed },
    )
  })

  it('keeps its memory bounded, and naming others frees nobody', () => {
    let now = 0
    const buckets = new TokenBuckets({ burst: 1, perSecond: 1, maxKeys: 100, clock: { now: () => now } })
    expect(buckets.take('victim')).toBe(0)
    for (let n = 0; n < 10_000; n++) buckets.take(`k${n}`)
    expect(buckets.size).toBe(100)
    expect(buckets.take('victim')).toBeGreaterThan(0)
    expect(buckets.take('newcomer')).toBeGreaterThan(0)
    now = 5_000
    expect(buckets.take('newcomer')).toBe(0)
    expect(buckets.size).toBeLessThan(5)
  })
})

describe('allowedOrigins', () => {
  const app = httpApp(http)
  app.use(allowedOrigins({ origins: ['https://app.example'] }))
  app.post('/', (c) => c.text('ok'))

  it('gives permission to an origin on the list, preflight included', async () => {
    const preflight = await app.request('/', {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Idempotency-Key')
    const answer = await app.request('/', { method: 'POST', headers: { origin: 'https://app.example' } })
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(answer.headers.get('vary')).toContain('Origin')
  })

  it.each(['https://evil.example', 'https://app.example.evil.example', 'null'])(
    'gives none to %s',
    async (origin) => {
      const answer = await app.request('/', { method: 'POST', headers: { origin } })
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    },
  )
})

describe('timeLimit', () => {
  it('answers 503 when the handler is late, and tells the handler', async () => {
    let told = false
    const app = httpApp(http)
    app.get('/slow', timeLimit(20), (c) => {
      c.get('deadline').addEventListener('abort', () => (told = true))
      return new Promise<Response>(() => undefined)
    })
    app.get('/quick', timeLimit(1_000), (c) => c.text('ok'))
    const late = await app.request('/slow')
    expect(late.status).toBe(503)
    expect(late.headers.get('retry-after')).toBe('1')
    expect(await late.json()).toMatchObject({ code: 'request.overdue' })
    expect(told).toBe(true)
    expect((await app.request('/quick')).status).toBe(200)
  })
})

describe('readForm', () => {
  const app = httpApp(http)
  app.post('/', async (c) => c.json(await readForm(c)))
  const post = (body: string, type = 'application/x-www-form-urlencoded') =>
    app.request('/', { method: 'POST', body, headers: { 'content-type': type } })

  it('reads what a page posts', async () => {
    const body = new URLSearchParams({ username: 'Jürgen & Ö', email: 'a+b@c.d', empty: '' })
    expect(await (await post(`${body.toString()}&username=second&bare`)).json()).toEqual({
      username: 'Jürgen & Ö',
      email: 'a+b@c.d',
      empty: '',
      bare: '',
    })
  })

  it.each(['a=%zz', 'a=%ff', 'a=%00', Array.from({ length: 101 }, (_unused, n) => `f${n}=1`).join('&')])(
    'refuses %s',
    async (body) => {
      expect((await post(body)).status).toBe(400)
    },
  )

  it('refuses another content type and harms no prototype', async () => {
    expect((await post('a=1', 'multipart/form-data')).status).toBe(415)
    await post('__proto__=1&constructor=2')
    expect(({} as Record<string, unknown>)['1']).toBeUndefined()
  })
})

describe('opsApp', () => {
  const app = (report: ReadinessReport) =>
    opsApp({
      http,
      version: '1.2.3',
      health: { report: () => Promise.resolve(report), started: true },
      metrics: {
        exposition: (accept) =>
          Promise.resolve({ contentType: accept ?? 'text/plain; version=0.0.4', text: 'millrace_info 1\n' }),
      },
    })

  it.each([
    ['ok', 200],
    ['degraded', 200],
    ['down', 503],
  ] as const)('is ready when %s: %i', async (state, status) => {
    const dependencies = { redis: { state, message: 'why' } }
    const answer = await app({ state, dependencies }).request('/health/ready')
    expect(answer.status).toBe(status)
    expect(await answer.json()).toEqual({ state, dependencies, version: '1.2.3' })
  })

  it('has a front page that says what is there, for people and for programs', async () => {
    const ops = app({ state: 'ok', dependencies: {} })
    const page = await ops.request('/', { headers: { accept: 'text/html,*/*' } })
    expect(await page.text()).toContain('<a href="/health/ready">/health/ready</a>')
    expect(await (await ops.request('/')).json()).toMatchObject({
      addresses: [
        { path: '/health/live' },
        { path: '/health/startup' },
        { path: '/health/ready' },
        { path: '/metrics' },
      ],
    })
  })

  it('is alive whatever its dependencies do, and shows its metrics', async () => {
    const ops = app({ state: 'down', dependencies: {} })
    expect(await (await ops.request('/health/live')).json()).toMatchObject({ state: 'ok', version: '1.2.3' })
    const metrics = await ops.request('/metrics')
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4')
    expect(await metrics.text()).toBe('millrace_info 1\n')
  })
})
