import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { testSeed } from '../../../test/support/random.ts'
import { httpApp } from './http-app.ts'
import { jsonBody, safeJson } from './json-body.ts'

const seed = testSeed()

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const context = { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined }

const app = httpApp({ logger: silent, context })
app.post('/', jsonBody(z.object({ name: z.string(), tags: z.array(z.string()).optional() })), (c) =>
  c.json(c.req.valid('json')),
)
app.post('/any', jsonBody(z.unknown()), (c) => c.json({ taken: true }))

const post = (path: string, body: string | Uint8Array<ArrayBuffer>) =>
  app.request(path, { method: 'POST', body, headers: { 'content-type': 'application/json' } })

const wellFormed = (value: unknown): boolean =>
  typeof value === 'string'
    ? value.isWellFormed() && !value.includes('\0')
    : typeof value !== 'object' ||
      value === null ||
      Object.entries(value).every(([name, one]) => wellFormed(name) && wellFormed(one))

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

const forbidden = ['__proto__', 'constructor', 'prototype']
const namesIn = (value: unknown): string[] =>
  typeof value === 'object' && value !== null
    ? [...(Array.isArray(value) ? [] : Object.keys(value)), ...Object.values(value).flatMap(namesIn)]
    : []

describe('JSON from outside', () => {
  it(`never ends in 500, whatever the bytes are (seed ${seed})`, async () => {
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const { status } = await post('/', new Uint8Array(bytes))
      expect(status).toBe(400)
    })
    await fc.assert(property, { seed, numRuns: 500 })
  })

  it(`never ends in 500, whatever the text is (seed ${seed})`, async () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '\\u0000',
      '\\ud800',
      '1e999',
      '-0',
      'null',
      '__proto__',
      '\\',
      'name',
      '\n',
    )
    const property = fc.asyncProperty(
      fc.array(fc.oneof(token, fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 30 }),
      async (parts) => {
        expect((await post('/any', parts.join(''))).status).toBeOneOf([200, 400])
      },
    )
    await fc.assert(property, { seed, numRuns: 1_000 })
  })

  it(`is taken exactly when it is well formed, shallow and without prototype keys (seed ${seed})`, async () => {
    const name = fc.oneof(fc.constantFrom(...forbidden), fc.string({ unit: 'binary', maxLength: 4 }))
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 40, depthSize: 'large' },
        fc.oneof(fc.string({ unit: 'binary', maxLength: 4 }), fc.integer(), fc.constant(null), fc.boolean()),
        fc.array(tie('value'), { maxLength: 3 }),
        fc
          .array(fc.tuple(name, tie('value')), { maxLength: 3 })
          .map((entries) => Object.fromEntries(entries)),
      ),
    }))
    const property = fc.asyncProperty(value, async (given) => {
      const text = JSON.stringify(given)
      const fine =
        wellFormed(given) && depthOf(given) <= 32 && !namesIn(given).some((one) => forbidden.includes(one))
      const answer = await post('/any', text)
      expect(answer.status).toBe(fine ? 200 : 400)
      expect(fine ? safeJson(text) : undefined).toEqual(fine ? JSON.parse(text) : undefined)
      expect(Object.keys(Object.prototype)).toEqual([])
    })
    await fc.assert(property, { seed, numRuns: 1_000 })
  })

  it(`answers each broken field once (seed ${seed})`, async () => {
    const others = fc.dictionary(fc.stringMatching(/^[a-m]{1,4}$/), fc.oneof(fc.integer(), fc.string()))
    const property = fc.asyncProperty(others, async (given) => {
      const answer = await post('/', JSON.stringify({ ...given, name: 1, tags: [1, 2] }))
      const { errors } = (await answer.json()) as { errors: { field: string }[] }
      expect(errors.map(({ field }) => field).toSorted()).toEqual(['name', 'tags.0', 'tags.1'])
    })
    await fc.assert(property, { seed, numRuns: 300 })
  })
})
