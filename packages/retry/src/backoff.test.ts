import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { backoffMs, longestWishMs } from './backoff.ts'

const seed = testSeed()
const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

const backoff = fc.record({
  firstMs: fc.integer({ min: 1, max: 60_000 }),
  maxMs: fc.integer({ min: 60_000, max: 86_400_000 }),
  factor: fc.double({ min: 1, max: 10, noNaN: true }),
  jitter: fraction,
})

test(`pauses grow, stay within their bounds and are whole (seed ${seed})`, () => {
  fc.assert(
    fc.property(backoff, fc.integer({ min: 1, max: 1_000_000 }), fraction, (given, failures, random) => {
      const ms = backoffMs(given, failures, random)
      expect(Number.isInteger(ms)).toBe(true)
      expect(ms).toBeGreaterThanOrEqual(Math.floor(given.firstMs * (1 - given.jitter / 2)))
      expect(ms).toBeLessThanOrEqual(Math.ceil(given.maxMs * (1 + given.jitter / 2)))
      expect(backoffMs(given, failures + 1, random)).toBeGreaterThanOrEqual(ms)
    }),
    { seed, numRuns: 500 },
  )
})

test(`a wish is the least, and never longer than a day (seed ${seed})`, () => {
  fc.assert(
    fc.property(backoff, fc.double({ min: 0, noNaN: true }), fraction, (given, wishedMs, random) => {
      const ms = backoffMs(given, 1, random, wishedMs)
      expect(ms).toBeGreaterThanOrEqual(Math.floor(Math.min(wishedMs, longestWishMs)))
      expect(ms).toBeLessThanOrEqual(Math.max(longestWishMs, given.maxMs * 1.5))
    }),
    { seed, numRuns: 500 },
  )
})

test('by default a pause doubles, and a tenth around it is chance', () => {
  const given = { firstMs: 100, maxMs: 1_000 }
  expect([1, 2, 3, 4, 5, 500].map((failures) => backoffMs(given, failures, 0.5))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ])
  expect([backoffMs(given, 1, 0), backoffMs(given, 1, 0.999)]).toEqual([90, 110])
})
