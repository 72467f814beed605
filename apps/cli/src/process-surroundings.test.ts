import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

/** Runs the command as a shell does: by its program of any Node, which starts the pinned one. */
function start(...args: readonly string[]) {
  const bin = path.join(import.meta.dirname, '../bin/millrace.mjs')
  const child = spawn(process.execPath, [bin, ...args])
  onTestFinished(() => void child.stdin.end())
  return child
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s to the command ends all that it has started',
  async (signal) => {
    const child = start('uniq', 'get', 'email', '-')
    child.stdout.resume()
    child.stderr.resume()
    // More than a pipe holds: the program is there, and reads.
    await new Promise((resolve) => child.stdin.write('a@example.org\n'.repeat(100_000), resolve))
    child.kill(signal)
    // Closed is what nobody holds any more.
    expect(await once(child, 'close')).toEqual([130, null])
  },
)

test('a reader that has seen enough is no error', async () => {
  const child = start('--help')
  child.stdout.destroy()
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('what is wrong may go unread: the exit code says it', async () => {
  const child = start('nonsense')
  child.stderr.destroy()
  expect(await once(child, 'exit')).toEqual([2, null])
})
