import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { generate, generatedFile } from '../client/generate.ts'
import { createAccountsClient, ProblemError } from '../client/index.ts'
import { typeOfSchema } from '../client/type-of-schema.ts'

/** Formatting is the formatter's business. */
function plain(text: string): string {
  return text.replaceAll(/['"`;,|\s]/g, '')
}

describe('the typed client', () => {
  it('is what the OpenAPI document says (else run client/generate.ts, and format)', async () => {
    expect(plain(readFileSync(generatedFile, 'utf8'))).toBe(plain(await generate()))
  })

  it('calls an operation as it is described', async () => {
    const sent: { url: string; init: RequestInit }[] = []
    const client = createAccountsClient({
      baseUrl: 'https://accounts.example.org/',
      fetch: (url, init) => {
        sent.push({ url, init })
        return Promise.resolve(Response.json({ id: 'u/1', activated: true }, { headers: { ETag: '"2"' } }))
      },
    })
    const answer = await client.readAccount({ id: 'u/1', after: 'accounts/0/1-2' }, { token: 't' })
    expect(answer.body.activated).toBe(true)
    expect(answer.headers.get('etag')).toBe('"2"')
    await client.changeAddress(
      { id: 'u', body: { email: 'a@example.org' } },
      { token: 't', ifMatch: '"2"', idempotencyKey: 'k', correlationId: 'c' },
    )
    await client.signIn({ body: { email: 'a@example.org', password: 'p' } }, { token: 'never sent' })
    expect(sent.map(({ url, init }) => `${init.method} ${url}`)).toEqual([
      'GET https://accounts.example.org/users/u%2F1?after=accounts%2F0%2F1-2',
      'PATCH https://accounts.example.org/users/u',
      'POST https://accounts.example.org/sessions',
    ])
    expect(sent[1]?.init).toMatchObject({
      body: '{"email":"a@example.org"}',
      headers: {
        Authorization: 'Bearer t',
        'If-Match': '"2"',
        'Idempotency-Key': 'k',
        'X-Correlation-Id': 'c',
      },
    })
    expect(sent[2]?.init.headers).not.toHaveProperty('Authorization')
  })

  it('tells answers of one operation apart', async () => {
    const client = createAccountsClient({
      baseUrl: 'http://x',
      fetch: () => Promise.resolve(Response.json({ message: 'mail' }, { status: 202 })),
    })
    const answer = await client.signUp({ body: { username: 'a', email: 'a@example.org', password: 'p' } })
    expect(answer.status === 202 ? answer.body.message : answer.body.id).toBe('mail')
  })

  it('rejects with the problem, or with one of its own where something else answered', async () => {
    const answers = [
      new Response('{"code":"append.claimed","status":409,"detail":"taken","field":"email"}', {
        status: 409,
        headers: { 'content-type': 'application/problem+json', 'retry-after': '7' },
      }),
      new Response('<h1>Bad gateway</h1>', { status: 502 }),
    ]
    const client = createAccountsClient({
      baseUrl: 'http://x',
      fetch: () => Promise.resolve(answers.shift() ?? Response.error()),
    })
    const failures = [1, 2].map(() =>
      client.activate({ body: { token: 't' } }).catch((error: unknown) => error),
    )
    const [claimed, strange] = await Promise.all(failures)
    expect(claimed).toBeInstanceOf(ProblemError)
    expect(claimed).toMatchObject({ retryAfterSeconds: 7, problem: { code: 'append.claimed' } })
    expect(strange).toMatchObject({ retryAfterSeconds: undefined, problem: { status: 502, code: 'unknown' } })
  })
})

describe('types of schemas', () => {
  it('are written as TypeScript', () => {
    expect(typeOfSchema({ anyOf: [{ type: 'string' }, { type: 'null' }] })).toBe('string | null')
    expect(typeOfSchema({ enum: ['a', 'b'] })).toBe('"a" | "b"')
    expect(typeOfSchema({ type: 'string', enum: Array.from({ length: 13 }, String) })).toBe('string')
    expect(typeOfSchema({ type: 'array', items: { type: 'integer' } })).toBe('readonly number[]')
    const either = { anyOf: [{ type: 'string' }, { type: 'number' }] }
    expect(typeOfSchema({ type: 'array', items: either })).toBe('readonly (string | number)[]')
    expect(typeOfSchema({ $ref: '#/components/schemas/Problem' })).toBe('Problem')
    expect(() => typeOfSchema({ type: 'symbol' })).toThrow(TypeError)
  })
})
