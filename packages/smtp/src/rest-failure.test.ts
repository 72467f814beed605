import { expect, test } from 'vitest'
import { restRefusal } from './rest-failure.ts'

test.each([
  [undefined, undefined],
  ['soon', undefined],
  ['7', 7_000],
  ['999999', 3_600_000],
])('Retry-After %j of a refusal is a wish of %j ms, an hour at most', (value, ms) => {
  const headers = new Headers(value === undefined ? {} : { 'retry-after': value })
  const refusal = restRefusal(new Response(undefined, { status: 503, headers }), 'later')
  expect(refusal.details?.['retryAfterMs']).toBe(ms)
})
