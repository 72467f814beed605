import { expect, test } from 'vitest'
import { expirySentence } from './expiry.ts'

const issued = Date.UTC(2026, 10, 21, 21, 15)
const minutes = 60_000

test.each([
  [0, '1 minute, until 21 November 2026 at 21:15 UTC'],
  [30 * minutes, '30 minutes, until 21 November 2026 at 21:45 UTC'],
  [60 * minutes, '60 minutes, until 21 November 2026 at 22:15 UTC'],
  [24 * 60 * minutes, '24 hours, until 22 November 2026 at 21:15 UTC'],
  [48 * 60 * minutes - 999, '2 days, until 23 November 2026 at 21:14 UTC'],
  [7 * 24 * 60 * minutes, '7 days, until 28 November 2026 at 21:15 UTC'],
])('%d ms are said in words', (ms, words) => {
  expect(expirySentence(issued, issued + ms)).toBe(`The link works for ${words}.`)
})
