import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testSeed } from '../../../../test/support/random.ts'
import {
  lineSeen,
  productKnown,
  type ProductState,
  reviewAll,
  type SeenLine,
  stockCounted,
  stockMoved,
  unknownProduct,
} from './product-state.ts'
import { defaultThresholds } from './review.ts'

const seed = testSeed()

const line = {
  order: 'O1',
  line: 1,
  supplier: 'S1',
  quantity: 10,
  orderedOn: '2026-11-01',
  dueOn: '2026-12-10',
  shipped: false,
  finished: false,
  lineVersion: 2,
  version: 2,
}
const product = { name: 'Hinge', supplier: 'S1', dailyForecast: 10, reorderLevel: 70 }
const today = '2026-11-20'
const reviewed = (state: ProductState) => reviewAll(state, today, defaultThresholds)
const seen = (state: ProductState, one: SeenLine) => lineSeen(state, one, today, defaultThresholds)

const lsn = (at: number) => at.toString(16).padStart(16, '0')

test(`a count and movements, whatever comes first, end at the same stock (seed ${seed})`, () => {
  // The database's truth: movements at places 1, 2, 3 …, counted at some of them.
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 60 }),
      fc.array(fc.nat({ max: 60 }), { maxLength: 4 }),
      fc.infiniteStream(fc.nat({ max: 10 })),
      (differences, counts, choices) => {
        const truth = differences.reduce((sum, one) => sum + one, 0)
        const before = (at: number) => differences.slice(0, at).reduce((sum, one) => sum + one, 0)
        const moves = differences.map(
          (difference, at) => (state: ProductState) => stockMoved(state, difference, lsn(at)),
        )
        // A count at a place holds what was before it; counts come when they come.
        const counted = [...counts, 0].map((at) => {
          const place = Math.min(at, differences.length)
          return (state: ProductState) => stockCounted(state, before(place), lsn(place))
        })
        let state: ProductState = unknownProduct
        while (moves.length > 0 || counted.length > 0) {
          const pickCount = counted.length > 0 && (moves.length === 0 || (choices.next().value ?? 0) < 2)
          const next = pickCount ? counted.shift() : moves.shift()
          state = next?.(state) ?? state
        }
        expect(state.stock).toBe(truth)
      },
    ),
    { seed },
  )
})

test('more movements than are kept: a count from before the forgotten ones changes nothing', () => {
  let state: ProductState = unknownProduct
  for (let at = 1; at <= 300; at++) state = stockMoved(state, 1, lsn(at))
  expect(state.movements).toHaveLength(200)
  expect(stockCounted(state, 1_000, lsn(50))).toBe(state)
  expect(stockCounted(state, 1_000, lsn(201)).stock).toBe(1_000 + 100)
})

test('handling anything ten times gives what handling it once gives', () => {
  const once = seen(productKnown(unknownProduct, product, 1), line).state
  const ten = Array.from({ length: 9 }).reduce<ProductState>(
    (state) => seen(productKnown(state, product, 1), line).state,
    once,
  )
  expect(ten).toEqual(once)
  const counted = stockCounted(once, 5, lsn(9))
  expect(stockCounted(counted, 5, lsn(9))).toBe(counted)
})

test('only what has changed is said, and a changed order always is', () => {
  const state = stockCounted(seen(productKnown(unknownProduct, product, 1), line).state, 10, lsn(1))
  const first = reviewed(state)
  expect(first.reviews.map(({ verdict }) => verdict)).toMatchObject([{ kind: 'bring-forward' }])
  expect(reviewed(first.state).reviews).toEqual([])
  expect(seen(first.state, line).state).toBe(first.state)
  expect(seen(first.state, { ...line, version: 3 }).reviews).toEqual([])
  expect(seen(first.state, { ...line, lineVersion: 3, version: 3 }).reviews).toHaveLength(1)
  const enough = reviewed(stockMoved(first.state, 200, lsn(2)))
  expect(enough.reviews.map(({ verdict }) => verdict)).toMatchObject([{ kind: 'keep' }])
})

test('a finished line is gone and says so once; an older word about it brings it back only when it is unknown', () => {
  const open = reviewed(seen(unknownProduct, line).state).state
  const ended = seen(open, { ...line, finished: true, version: 3 })
  expect(ended.reviews).toMatchObject([{ verdict: 'finished' }])
  expect(ended.state.lines).toEqual({})
  expect(seen(ended.state, { ...line, finished: true, version: 3 }).reviews).toEqual([])
  expect(seen(open, { ...line, version: 1, dueOn: '2027-01-01' }).state).toBe(open)
})

test('a product out of a snapshot is as old as the beginning of that; whatever comes first, they end alike', () => {
  const published = { ...product, reorderLevel: 80 }
  const snapshot = (begunAt: number) => ({ ...product, begunAt })
  const after = (
    state: ProductState,
    ...told: readonly (readonly [Parameters<typeof productKnown>[1], number])[]
  ) => told.reduce((known, [one, seq]) => productKnown(known, one, seq), state).product?.reorderLevel
  // Begun at 5, published at 7, written at 9 or 6.
  expect(after(unknownProduct, [published, 7], [snapshot(5), 9])).toBe(80)
  expect(after(unknownProduct, [snapshot(5), 6], [published, 7])).toBe(80)
  // Published before it was begun: it may hold something newer.
  expect(after(unknownProduct, [published, 4], [snapshot(5), 9])).toBe(70)
  // A state from before places were kept.
  expect(after({ ...unknownProduct, product: published }, [snapshot(5), 9])).toBe(70)
})
