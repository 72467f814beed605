import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testSeed } from '../../../../test/support/random.ts'
import { dayAfter, daysBetween } from './calendar.ts'
import { type LineFacts, type ProductFacts, review } from './review.ts'

const seed = testSeed()

const today = '2026-11-20'
const line: LineFacts = {
  order: 'O1',
  line: 1,
  supplier: 'S1',
  quantity: 100,
  orderedOn: '2026-11-01',
  dueOn: '2026-12-10',
  shipped: false,
  lineVersion: 1,
  version: 1,
}
const product: ProductFacts = { name: 'Hinge', supplier: 'S1', dailyForecast: 10, reorderLevel: 70 }

test.each([
  ['waiting', line, undefined, 500, undefined],
  ['waiting', line, product, undefined, undefined],
  ['keep', { ...line, shipped: true }, undefined, undefined, undefined],
  ['cancel', { ...line, orderedOn: '2026-09-20' }, product, undefined, undefined],
  ['keep', { ...line, orderedOn: '2026-09-21' }, product, 300, undefined],
  // 900 pieces last 90 days; 45 are enough: it is wanted in 45 days.
  ['postpone', line, product, 900, '2027-01-04'],
  ['keep', { ...line, dueOn: '2027-01-04' }, product, 900, undefined],
  ['keep', line, product, 450, undefined],
  ['bring-forward', line, product, 69, '2026-11-27'],
  ['bring-forward', line, product, -5, '2026-11-27'],
  ['keep', line, product, 70, undefined],
  ['keep', { ...line, dueOn: '2026-11-27' }, product, 0, undefined],
  ['postpone', line, { ...product, dailyForecast: 0, reorderLevel: 0 }, 5, '2027-05-19'],
] as const)('%s', (kind, of, known, stock, proposedDueOn) => {
  const verdict = review(of, known, stock, today)
  expect([verdict.kind, verdict.proposedDueOn]).toEqual([kind, proposedDueOn])
  expect(verdict.reason).toMatch(/\.$/)
  for (const number of Object.values(verdict.numbers)) expect(Number.isFinite(number)).toBe(true)
})

test(`what is done as suggested is not suggested again (seed ${seed})`, () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 5_000 }),
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: -30, max: 400 }),
      (stock, dailyForecast, reorderLevel, due) => {
        const facts = { ...product, dailyForecast, reorderLevel }
        const one = { ...line, dueOn: dayAfter(today, due) }
        const { kind, proposedDueOn } = review(one, facts, stock, today)
        if (proposedDueOn === undefined) return kind === 'keep'
        expect(Math.sign(daysBetween(one.dueOn, proposedDueOn))).toBe(kind === 'postpone' ? 1 : -1)
        const again = review({ ...one, dueOn: proposedDueOn }, facts, stock, today)
        return again.kind === 'keep'
      },
    ),
    { seed },
  )
})
