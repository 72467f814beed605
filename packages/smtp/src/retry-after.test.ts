import { expect, test } from 'vitest'
import { retryAfterMs } from './retry-after.ts'

const now = Date.UTC(2026, 10, 21, 12)

test.each([
  [null, undefined],
  ['soon', undefined],
  ['-1', undefined],
  ['0', 0],
  [' 7 ', 7_000],
  ['999999', 3_600_000],
  ['Sat, 21 Nov 2026 12:00:30 GMT', 30_000],
  ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
  ['Sat, 21 Nov 2027 12:00:00 GMT', 3_600_000],
])('%j is %j', (value, ms) => {
  expect(retryAfterMs(value, now)).toBe(ms)
})
