import { expect, test } from 'vitest'
import { testSeed } from '../support/random.ts'
import { signUpText } from '../faults/sign-up-report.ts'
import { runSignUp } from '../faults/sign-up.ts'

const seed = testSeed()
// It ends a run that hangs: a killed process holds its partitions for 15 s, a busy machine starts slowly.
const timeout = 600_000

test(
  `each service killed among sign-ups: every address has one account, every account its mail (seed ${seed})`,
  { timeout },
  async () => {
    const report = await runSignUp({ signUps: 120, seed, killsEach: 1 })
    console.info(signUpText(report))
    expect(report.wrong).toEqual([])
    expect(report.kills).toHaveLength(5)
    expect(report.unknowns + report.unavailable).toBeGreaterThan(0)
  },
)
