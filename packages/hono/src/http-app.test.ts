import { AsyncLocalStorage } from 'node:async_hooks'
import { MillraceError } from '@millrace/event'
import { HTTPException } from 'hono/http-exception'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { httpApp } from './http-app.ts'
import { jsonBody } from './json-body.ts'
import type { ContextStore, RequestIds } from './ports.ts'

const storage = new AsyncLocalStorage<RequestIds>()
const context: ContextStore = { run: (ids, fn) => storage.run(ids, fn), current: () => storage.getStore() }

type Line = { level: string; message: string; fields: Readonly<Record<string, unknown>> | undefined }
let lines: Line[] = []
let counted: unknown[][] = []
const logger = {
  debug: (message: string, fields?: Line['fields']) => void lines.push({ level: 'debug', message, fields }),
  info: (message: string, fields?: Line['fields']) => void lines.push({ level: 'info', message, fields }),
  warn: (message: string, fields?: Line['fields']) => void lines.push({ level: 'warn', message, fields }),
  error: (message: string, fields?: Line['fields']) => void lines.push({ level: 'error', message, fields }),
}
const meter = { begin: () => undefined, end: (...args: unknown[]) => void counted.push(args.slice(0, 3)) }

const userSchema = z.strictObject({
  username: z.string().min(1, 'must not be blank'),
  email: z.string().min(3, 'is too short').includes('@', { error: 'is not an address' }),
})

function build() {
  const app = httpApp({ logger, context, meter })
  app.get('/ids', (c) => c.json({ ...context.current(), variable: c.get('correlationId') }))
  app.get('/users/:id', (c) => c.text(c.req.param('id')))
  app.post('/users', jsonBody(userSchema), (c) => c.json({ name: c.req.valid('json').username }, 201))
  app.get('/taken', () => {
    throw new MillraceError('append.claimed', 'The address is taken', {
      details: { constraint: 'email', field: 'email', status: 200 },
      errors: [{ field: 'email', message: 'is taken' }],
    })
  })
  app.get('/broken', () => {
    throw new Error('the password is hunter2')
  })
  app.get('/corrupt', () => {
    throw new MillraceError('log.corrupt', 'Key {accounts}:3 is a hash')
  })
  app.get('/http-exception', () => {
    throw new HTTPException(403, { message: 'not you' })
  })
  app.get('/own-response', () => new Response('mine'))
  return app
}

const post = (
  body: string | Uint8Array<ArrayBuffer>,
  type = 'application/json',
  headers: Record<string, string> = {},
) => build().request('/users', { method: 'POST', body, headers: { 'content-type': type, ...headers } })

beforeEach(() => {
  lines = []
  counted = []
})

describe('correlation and trace', () => {
  it('takes a well-formed correlation id, answers it and puts it into the context', async () => {
    const answer = await build().request('/ids', { headers: { 'X-Correlation-Id': 'order:7.a_b-c' } })
    expect(answer.headers.get('x-correlation-id')).toBe('order:7.a_b-c')
    expect(await answer.json()).toMatchObject({ correlationId: 'order:7.a_b-c', variable: 'order:7.a_b-c' })
  })

  it.each(['', 'a b', 'x'.repeat(129), 'a;b', 'é'])('makes a UUIDv7 instead of taking %j', async (given) => {
    const answer = await build().request('/ids', { headers: { 'X-Correlation-Id': given } })
    expect(answer.headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab]/)
  })

  it.each(['/broken', '/nowhere', '/own-response'])('answers the correlation id on %s too', async (path) => {
    expect((await build().request(path)).headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('continues the trace of the caller with a span of its own', async () => {
    const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const answer = (await (
      await build().request('/ids', { headers: { traceparent: given } })
    ).json()) as RequestIds
    expect(answer.traceparent).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/)
    expect(answer.traceparent).not.toContain('00f067aa0ba902b7')
  })

  it.each([
    'garbage',
    '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
    '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
    'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  ])('begins a new trace instead of continuing %j', async (traceparent) => {
    const answer = (await (await build().request('/ids', { headers: { traceparent } })).json()) as RequestIds
    expect(answer.traceparent).toMatch(
      /^00-(?!4bf92f3577b34da6a3ce929d0e0e4736)[0-9a-f]{32}-[0-9a-f]{16}-00$/,
    )
  })
})

describe('problem details', () => {
  it('carry code, details and field errors, and details cannot overwrite members of the standard', async () => {
    const answer = await build().request('/taken', { headers: { 'X-Correlation-Id': 'c-1' } })
    expect(answer.status).toBe(409)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toEqual({
      type: 'urn:millrace:error:append.claimed',
      title: 'The value is taken',
      status: 409,
      detail: 'The address is taken',
      instance: '/taken',
      code: 'append.claimed',
      correlationId: 'c-1',
      constraint: 'email',
      field: 'email',
      errors: [{ field: 'email', message: 'is taken' }],
    })
  })

  it('show nothing of an error that nobody foresaw, and log it with its stack', async () => {
    const answer = await build().request('/broken')
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('hunter2')
    const line = lines.find(({ level }) => level === 'error')
    const logged = line?.fields?.['err']
    expect(logged instanceof Error && logged.stack).toContain('hunter2')
  })

  it('keep the text of a 500 of the catalogue inside', async () => {
    const text = await (await build().request('/corrupt')).text()
    expect(text).toContain('log.corrupt')
    expect(text).not.toContain('{accounts}')
  })

  it("translate Hono's own exceptions", async () => {
    const answer = await build().request('/http-exception')
    expect(answer.status).toBe(403)
    expect(await answer.json()).toMatchObject({ code: 'request.forbidden', detail: 'not you' })
  })

  it('say 404 where nothing is and 405 with Allow where the method is wrong', async () => {
    expect(await (await build().request('/nowhere')).json()).toMatchObject({
      code: 'route.unknown',
      status: 404,
    })
    const wrong = await build().request('/users', { method: 'DELETE' })
    expect(wrong.status).toBe(405)
    expect(wrong.headers.get('allow')).toBe('POST')
    expect(wrong.headers.get('content-type')).toBe('application/problem+json')
    expect(await wrong.json()).toMatchObject({ code: 'route.method' })
  })
})

describe('a JSON body', () => {
  it('reaches the handler when it fits the schema', async () => {
    const answer = await post('{"username":"Anna","email":"a@b.c"}', 'application/json; charset=utf-8')
    expect(answer.status).toBe(201)
    expect(await answer.json()).toEqual({ name: 'Anna' })
  })

  it('that breaks the schema is refused with one entry a field, all at once', async () => {
    const answer = await post('{"username":"","email":"x","extra":1,"more":2}')
    expect(answer.status).toBe(400)
    const body = (await answer.json()) as { code: string; errors: { field: string; message: string }[] }
    expect(body.code).toBe('request.invalid')
    expect(body.errors).toEqual([
      { field: 'username', message: 'must not be blank' },
      { field: 'email', message: 'is too short' },
      { field: 'extra', message: 'is not known here' },
      { field: 'more', message: 'is not known here' },
    ])
  })

  it('with missing fields says so in words', async () => {
    expect(await (await post('{}')).json()).toMatchObject({
      errors: [
        { field: 'username', message: 'is missing' },
        { field: 'email', message: 'is missing' },
      ],
    })
  })

  it.each([
    ['not JSON', '{"username":'],
    ['empty', ''],
    ['a raw NUL', '{"username":"a\0b","email":"a@b.c"}'],
    ['an escaped NUL', '{"username":"a\\u0000b","email":"a@b.c"}'],
    ['a lone surrogate', '{"username":"a\\ud800","email":"a@b.c"}'],
    ['__proto__', '{"username":"a","email":"a@b.c","__proto__":{"admin":true}}'],
    ['an escaped __proto__', '{"username":"a","email":"a@b.c","\\u005f_proto__":1}'],
    ['constructor deep inside', '{"username":[{"constructor":{}}]}'],
    ['prototype', '{"prototype":1}'],
    ['nesting', '['.repeat(5_000) + ']'.repeat(5_000)],
  ])('with %s is refused as json.invalid', async (_what, body) => {
    const answer = await post(body)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'json.invalid' })
  })

  it('that is not UTF-8 is refused', async () => {
    const answer = await post(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code: 'json.invalid', detail: 'The body is not UTF-8' })
  })

  it('that spells \\u0000 as text is taken', async () => {
    expect((await post('{"username":"\\\\u0000","email":"a@b.c"}')).status).toBe(201)
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', ''])(
    'of type %j is refused with 415',
    async (type) => {
      const answer = await post('{}', type)
      expect(answer.status).toBe(415)
      expect(await answer.json()).toMatchObject({ code: 'request.media-type' })
    },
  )

  it('that is compressed is refused with 415', async () => {
    expect((await post('{}', 'application/json', { 'content-encoding': 'gzip' })).status).toBe(415)
  })

  it('that is too large is refused with 413, whether it says its length or not', async () => {
    const large = JSON.stringify({ username: 'x'.repeat(300_000), email: 'a@b.c' })
    expect((await post(large)).status).toBe(413)
    const answer = await post('{}', 'application/json', { 'content-length': '999999999' })
    expect(answer.status).toBe(413)
    expect(await answer.json()).toMatchObject({ code: 'request.too-large', maxBytes: 262_144 })
  })
})

describe('an address', () => {
  it.each(['/users/%zz', '/users/%', '/users/%ff', '/users/%c3%28', '/users/a%00b', '/users/1?q=%e0%a4%a'])(
    '%s is refused with 400',
    async (path) => {
      const answer = await build().request(path)
      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({ code: 'request.malformed' })
    },
  )

  it('with valid percent-encoding is decoded', async () => {
    expect(await (await build().request('/users/J%C3%BCrgen%20M')).text()).toBe('Jürgen M')
  })
})

describe('each request', () => {
  it('is logged and counted once by method, route template and status, without its path', async () => {
    await build().request('/users/anna@example.org?token=secret')
    await build().request('/nowhere/secret')
    await build().request('/broken', { headers: {} })
    expect(counted).toEqual([
      ['GET', '/users/:id', 200],
      ['GET', 'unmatched', 404],
      ['GET', '/broken', 500],
    ])
    const requests = lines.filter(({ message }) => message === 'request')
    expect(requests.map(({ level, fields }) => [level, fields?.['route'], fields?.['status']])).toEqual([
      ['info', '/users/:id', 200],
      ['info', 'unmatched', 404],
      ['warn', '/broken', 500],
    ])
    expect(JSON.stringify(requests)).not.toContain('secret')
  })

  it('with a method of its own invention adds no label', async () => {
    await build().request('/users', { method: 'BREW' })
    expect(counted[0]?.[0]).toBe('other')
  })

  it('is answered with the security headers', async () => {
    const { headers } = await build().request('/own-response')
    expect(headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cache-control')).toBe('no-store')
  })
})
