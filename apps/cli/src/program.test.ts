import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { PassThrough } from 'node:stream'
import manifest from '../package.json' with { type: 'json' }
import { exitCodes } from './exit-codes.ts'
import { run } from './program.ts'
import { millrace } from './testing/millrace.ts'

test('says its version, and needs no system for that', async () => {
  expect(await millrace('--version', {})).toMatchObject({ code: 0, stdout: `${manifest.version}\n` })
})

test('a command line is a door: its correlation id is taken or made, and goes along with what it asks for', async () => {
  const asked: unknown[] = []
  const server = createServer((request, response) => {
    asked.push(request.headers['x-correlation-id'], request.headers.authorization)
    response.end('{"level":"info"}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const env = { CONSOLE_TOKEN: 'of-the-console' }
  try {
    expect(await millrace(`log-level --url ${url} --correlation-id incident-7`, env)).toMatchObject({
      code: 0,
      stdout: 'info\n',
    })
    await millrace(`log-level debug --url ${url}`, env)
    expect(asked).toEqual([
      'incident-7',
      'Bearer of-the-console',
      expect.stringMatching(/^[0-9a-f-]{36}$/),
      'Bearer of-the-console',
    ])
  } finally {
    server.close()
  }
  expect(await millrace(`log-level --correlation-id a/b`, env)).toMatchObject({ code: 2 })
})

test('its help names every exit code', async () => {
  const { stdout } = await millrace('--help', {})
  for (const code of Object.values(exitCodes)) expect(stdout).toMatch(new RegExp(`[ ;:] ?${code} `))
})

test('a mistake in the program is none of its findings, and shows its stack', async () => {
  let told = ''
  const write = (text: string): boolean => ((told += text), true)
  const fails = () => {
    throw new RangeError('Nobody foresaw it')
  }
  const code = await run(['--version'], {
    ...{ env: {}, in: new PassThrough(), signal: new AbortController().signal },
    out: Object.assign(new PassThrough(), { write: fails }),
    err: Object.assign(new PassThrough(), { write }),
  })
  expect(code).toBe(70)
  expect(told).toMatch(/RangeError: Nobody foresaw it\n +at /)
})

test('an address that is none is a mistake in the settings, and is not told', async () => {
  const ended = await millrace('topics', { REDIS_URL: 'redis://:hunter2@host:port' })
  expect(ended).toMatchObject({ code: 2, stderr: expect.stringContaining('The address of Redis is') })
  expect(ended.stderr).not.toContain('hunter2')
})
