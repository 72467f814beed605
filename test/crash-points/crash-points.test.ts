// All of them, often: npm run faults -- crash-points.
import { expect, test } from 'vitest'
import { runCrashPoints } from './run-points.ts'

test(
  'killed at every step of park, job, drain, unpark and repair: nothing is lost, nothing runs twice at once',
  { timeout: 600_000 },
  async () => {
    const reports = await runCrashPoints({ quick: true })
    expect(reports.filter(({ faults }) => faults.length > 0)).toEqual([])
  },
)
