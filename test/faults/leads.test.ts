import { expect, it } from 'vitest'
import { testSeed } from '../support/random.ts'
import { runLeads } from './leads.ts'

const seed = testSeed()

it(`leads come to the fold of the facts while members are killed (seed ${seed})`, async () => {
  const report = await runLeads({ seed, buyers: 40, kills: 4 })
  expect(report.wrong).toEqual([])
}, 600_000)

it('planted: leads that take what is out of turn for done are found out', async () => {
  const report = await runLeads({ seed: 7, buyers: 30, kills: 0, planted: true, patienceMs: 5_000 })
  expect(report.wrong.length).toBeGreaterThan(0)
}, 600_000)
