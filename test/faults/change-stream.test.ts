import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { testSeed } from '../support/random.ts'

const run = promisify(execFile)
const main = path.join(import.meta.dirname, 'main.ts')

const seed = String(testSeed())

test(`a reader that is killed and put to sleep past its lease tells each committed change once, in order (seed ${seed})`, async () => {
  const { stdout } = await run(process.execPath, [main, 'change-stream', '--changes', '2500', '--seed', seed])
  expect(stdout).toContain('each committed change is there once')
}, 600_000)

test('planted: a reader that tells the source of a transaction before it is on the log is found', async () => {
  const args = [main, 'change-stream', '--changes', '1000', '--seed', '2', '--planted']
  const error: unknown = await run(process.execPath, args).catch((failed: unknown) => failed)
  expect(error).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('the source was told too much') as string,
  })
}, 600_000)
