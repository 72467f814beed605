import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { tokenFault } from './bearer-token.ts'
import { httpApp } from './http-app.ts'
import { jsonBody } from './json-body.ts'
import { makeDocument, openApi, operation } from './open-api.ts'
import { queryFields } from './query-fields.ts'

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const context = { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined }

const signUp = z
  .object({
    email: z
      .string()
      .min(1)
      .transform((text) => text.trim()),
  })
  .meta({ description: 'A <script>new</script> account' })

function build() {
  const app = httpApp({ logger: silent, context })
  app.post(
    '/users',
    operation({
      summary: 'Signs up',
      tags: ['Accounts'],
      answers: { 201: { description: 'Created', schema: z.object({ id: z.string() }) } },
      problems: ['append.claimed', 'append.fingerprint', 'log.unavailable', 'service.unavailable'],
      idempotent: true,
    }),
    jsonBody(signUp),
    (c) => c.json({ id: c.req.valid('json').email }, 201),
  )
  app.get(
    '/users/:id',
    operation({ summary: 'Reads', answers: { 200: { description: 'Found' } }, secured: true }),
    queryFields(z.object({ after: z.string().min(3, 'is too short').optional() })),
    (c) => c.text(`${c.req.param('id')} ${c.req.valid('query').after ?? ''}`),
  )
  openApi(app, { title: 'Accounts & more', version: '1.0.0', description: 'What `this` is.' })
  return app
}

describe('the OpenAPI document', () => {
  it('knows bodies, parameters and problems of each route', async () => {
    const answer = await build().request('/openapi.json')
    expect(answer.headers.get('content-type')).toBe('application/json')
    const document = (await answer.json()) as Record<string, unknown>
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { title: 'Accounts & more' },
      paths: {
        '/users': {
          post: {
            summary: 'Signs up',
            parameters: [{ $ref: '#/components/parameters/IdempotencyKey' }],
            requestBody: {
              content: {
                'application/json': { schema: { type: 'object', properties: { email: { type: 'string' } } } },
              },
            },
            responses: {
              201: { content: { 'application/json': { schema: { type: 'object' } } } },
              400: {
                content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
              },
              409: { description: '`append.claimed`: The value is taken' },
              503: { description: expect.stringContaining('`service.unavailable`') },
            },
          },
        },
        '/users/{id}': {
          get: {
            security: [{ bearer: [] }],
            parameters: expect.arrayContaining([expect.objectContaining({ in: 'query', name: 'after' })]),
          },
        },
      },
      components: { schemas: { Problem: { type: 'object' } } },
    })
    expect(Object.keys(document['paths'] as object)).toEqual(['/users', '/users/{id}'])
  })

  it('is the same each time', async () => {
    const app = build()
    expect(await makeDocument(app, { title: 't', version: '1' })).toEqual(
      await makeDocument(app, { title: 't', version: '1' }),
    )
  })
})

describe('the reference page', () => {
  it('loads nothing from elsewhere, runs no script and shows text as text', async () => {
    const app = build()
    const answer = await app.request('/docs')
    const html = await answer.text()
    expect(answer.headers.get('content-type')).toContain('text/html')
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'")
    expect(html).not.toMatch(/<script|https?:\/\/|style=| on[a-z]+=/)
    expect(html).toContain('Accounts &#38; more')
    expect(html).toContain('<code>/users/{id}</code>')
    expect(html).toContain('&#60;script&#62;new&#60;/script&#62;')
    expect(html).toContain('<a href="#schema-Problem">')
    const style = await app.request('/docs/style.css')
    expect(style.headers.get('content-type')).toBe('text/css; charset=utf-8')
  })
})

describe('the way to the reference page', () => {
  it('leads there from an empty path, unless there is something else', async () => {
    const answer = await build().request('/')
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/docs'])
    const app = httpApp({ logger: silent, context })
    app.get('/', (c) => c.text('the page'))
    openApi(app, { title: 't', version: '1' })
    expect(await (await app.request('/')).text()).toBe('the page')
  })

  it('is open where everything else wants a token', async () => {
    const app = httpApp({ logger: silent, context, refuse: tokenFault({ tokens: ['a'] }) })
    app.get('/users', (c) => c.text('all'))
    openApi(app, { title: 't', version: '1' })
    const statuses = ['/', '/docs', '/docs/style.css', '/openapi.json', '/users', '/docs/more'].map(
      async (path) => (await app.request(path)).status,
    )
    expect(await Promise.all(statuses)).toEqual([302, 200, 200, 200, 401, 401])
    expect((await app.request('/docs', { method: 'POST' })).status).toBe(401)
  })
})

describe('queryFields', () => {
  it('checks the query like a body', async () => {
    expect(await (await build().request('/users/7?after=abc')).text()).toBe('7 abc')
    const answer = await build().request('/users/7?after=a')
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      code: 'request.invalid',
      errors: [{ field: 'after', message: 'is too short' }],
    })
  })
})
