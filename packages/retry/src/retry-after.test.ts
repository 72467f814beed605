import fc from 'fast-check'
import { MillraceError } from '@millrace/event'
import { expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { longestWishMs } from './backoff.ts'
import { readRetryAfter, retryAfterOf } from './retry-after.ts'

const seed = testSeed()
const nowMs = Date.parse('2026-11-22T10:00:00Z')

test.each([
  ['120', 120_000],
  [' 0 ', 0],
  ['Sun, 22 Nov 2026 10:01:30 GMT', 90_000],
  ['Sunday, 22-Nov-26 10:00:05 GMT', 5_000],
  ['Sun, 22 Nov 2026 09:00:00 GMT', 0],
  ['999999999', longestWishMs],
  ['-1', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['', undefined],
  [null, undefined],
])('Retry-After: %j is %j ms', (value, ms) => {
  expect(readRetryAfter(value, nowMs)).toBe(ms)
})

test(`whatever a header says, the wish is none or between now and a day (seed ${seed})`, () => {
  const header = fc.oneof(fc.string(), fc.stringMatching(/^\d{1,12}$/), fc.date().map(String))
  fc.assert(
    fc.property(header, (value) => {
      const ms = readRetryAfter(value, nowMs)
      expect(ms === undefined || (ms >= 0 && ms <= longestWishMs)).toBe(true)
    }),
    { seed, numRuns: 500 },
  )
})

test('a wish is found on the error, in its details, in its cause and in the answer that it carries', () => {
  const withHeaders = (headers: unknown) => Object.assign(new Error('429'), { response: { headers } })
  expect(retryAfterOf(Object.assign(new Error('x'), { retryAfterMs: 7 }), nowMs)).toBe(7)
  expect(
    retryAfterOf(new MillraceError('mail.temporary', 'x', { details: { retryAfterMs: 8 } }), nowMs),
  ).toBe(8)
  expect(retryAfterOf(new Error('x', { cause: withHeaders({ 'retry-after': '9' }) }), nowMs)).toBe(9_000)
  expect(retryAfterOf(withHeaders(new Headers({ 'Retry-After': '3' })), nowMs)).toBe(3_000)
  expect(retryAfterOf(new Response(null, { headers: { 'retry-after': '2' } }), nowMs)).toBe(2_000)
  expect(retryAfterOf(new Error('x'), nowMs)).toBeUndefined()
  expect(retryAfterOf('x', nowMs)).toBeUndefined()
  const ring = new Error('x')
  ring.cause = ring
  expect(retryAfterOf(ring, nowMs)).toBeUndefined()
})
