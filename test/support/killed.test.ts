import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { eventually, processesIn } from '../start/processes.ts'

test('servers of a test run that was killed end, and their directories with them', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'millrace-killed-'))
  chmodSync(directory, 0o711)
  const script = `
    const { startRedis } = await import(${JSON.stringify(path.join(import.meta.dirname, 'redis.ts'))})
    const { startPostgres } = await import(${JSON.stringify(path.join(import.meta.dirname, 'postgres.ts'))})
    await Promise.all([startRedis({ unixSocket: true }), startPostgres()])
    console.log('both run')`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, TMPDIR: directory },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  expect(
    processesIn([directory])
      .map(({ command }) => command)
      .join(),
  ).toMatch(/redis-server.*postgres|postgres.*redis-server/)
  child.kill('SIGKILL')
  await eventually('nothing is left', () => {
    const left = [...processesIn([directory]).map(({ command }) => command), ...readdirSync(directory)]
    return left.length === 0 ? undefined : left.join('\n')
  })
  rmSync(directory, { recursive: true })
})
