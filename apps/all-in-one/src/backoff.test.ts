import { expect, test } from 'vitest'
import { Backoff } from './backoff.ts'

test('waits double up to a bound', () => {
  const backoff = new Backoff({ firstMs: 100, mostMs: 1_000 })
  expect([0, 0, 0, 0, 0, 0].map((ranMs) => backoff.next(ranMs))).toEqual([100, 200, 400, 800, 1_000, 1_000])
})

test('a healthy run starts the waits from the beginning', () => {
  const backoff = new Backoff({ firstMs: 100, healthyMs: 5_000 })
  expect([backoff.next(0), backoff.next(4_999), backoff.next(5_000)]).toEqual([100, 200, 100])
})

test('the wait stays finite however long something keeps crashing', () => {
  const backoff = new Backoff({ mostMs: 15_000 })
  for (let crash = 0; crash < 5_000; crash += 1) backoff.next(0)
  expect(backoff.next(0)).toBe(15_000)
})
