import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { testSeed } from '../support/random.ts'

const run = promisify(execFile)
const main = path.join(import.meta.dirname, 'main.ts')
const small = [main, 'restocking', '--changes', '1500', '--kills', '6']

const seed = String(testSeed())

test(`readers and members that are killed and oversleep apply each difference of the stock exactly once (seed ${seed})`, async () => {
  // Also the report of a run that was red.
  const { stdout } = await run(process.execPath, [...small, '--seed', seed]).catch(
    (failed: { stdout: string }) => failed,
  )
  expect(stdout).toContain('the stock of every product is that of the central database')
}, 600_000)

test('planted: a member that applies the last difference of what it takes over once more is found', async () => {
  const error: unknown = await run(process.execPath, [
    ...small,
    '--seed',
    '2',
    '--bug',
    'applies-twice',
  ]).catch((failed: unknown) => failed)
  expect(error).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(
      'the stock of the processor is not that of the central database',
    ) as string,
  })
}, 600_000)
