import { expect, test } from 'vitest'
import { median, type Sample } from '../../bench/measure.ts'
import { asText, type Goal, report } from '../../bench/report.ts'

const sample = (perSecond: number, nodeMicros?: number): Sample => ({
  events: 1_000,
  seconds: 1_000 / perSecond,
  nodeMicros,
  redisMicros: 2_000,
})
const goal: Goal = { what: 'ours ÷ theirs', over: ['ours', 'theirs'], must: 0.5, aim: 0.8 }

test('the median is the middle one, or between the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([])).toBeNaN()
})

test('a ratio is the median of the ratios of each round, so that a slow round does not count twice', () => {
  const samples = new Map([
    ['ours', [sample(600), sample(60), sample(700)]],
    ['theirs', [sample(1_000), sample(100), sample(1_000)]],
  ])
  expect(report('x', [goal], samples, {}).goals[0]?.reached).toBeCloseTo(0.6)
})

test.each([
  [900, 'aim reached'],
  [600, 'must reached'],
  [400, 'missed'],
])('%i of a thousand: %s', (perSecond, verdict) => {
  const samples = new Map([
    ['ours', [sample(perSecond, 3_000)]],
    ['theirs', [sample(1_000)]],
  ])
  const found = report('x', [goal], samples, { ours: 'our way' })
  expect(found.goals[0]?.verdict).toBe(verdict)
  expect(found.contenders).toMatchObject([
    { name: 'ours', what: 'our way', nodeMicros: 3, redisMicros: 2 },
    { name: 'theirs', what: 'theirs', nodeMicros: null },
  ])
  expect(asText(found)).toContain(verdict)
})
