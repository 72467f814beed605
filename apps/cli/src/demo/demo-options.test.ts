import { expect, test } from 'vitest'
import { demoAsked } from './demo-options.ts'

test('a demo that is told no seed takes a new one each time, which is a number', () => {
  const seeds = Array.from({ length: 3 }, () => demoAsked({ home: '', patience: 1 }).seed)
  expect(seeds.join()).toMatch(/^\d+,\d+,\d+$/)
  expect(new Set(seeds).size).toBeGreaterThan(1)
  expect(demoAsked({ home: '', patience: 1, seed: 'mine' }).seed).toBe('mine')
})
