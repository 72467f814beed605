import { expect, test } from 'vitest'
import { growth } from './memory-watch.ts'

const marks = (...heaps: number[]) => heaps.map((heap, at) => ({ events: at, heap, rss: 0 }))

test('growth counts from the end of the warm-up', () => {
  expect(growth(marks(10, 100, 101, 99, 100))).toBeCloseTo(0.01)
  expect(growth(marks(100, 100, 120, 140, 160))).toBeCloseTo(0.6)
  expect(() => growth(marks(1, 2))).toThrow(TypeError)
})
