import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectLog } from './redis-log.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'

const run = promisify(execFile)
const directory = mkdtempSync(path.join(tmpdir(), 'millrace-tls-'))
const certificate = path.join(directory, 'server.crt')
const key = path.join(directory, 'server.key')
let redis: TestRedis
let port: number

beforeAll(async () => {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    certificate,
    ...subject,
  ])
  port = await freePort()
  const tls = [
    `tls-port ${port}`,
    `tls-cert-file ${certificate}`,
    `tls-key-file ${key}`,
    `tls-ca-cert-file ${certificate}`,
    'tls-auth-clients no',
  ]
  redis = await startRedis({ extra: [...tls, 'user anna on >pass:word/1 ~* &* +@all'] })
})

afterAll(async () => {
  await redis.stop()
  rmSync(directory, { recursive: true })
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

/** Connects in a process of its own, because the trusted certificates are read at its start. */
async function connect(url: string, trusted: boolean): Promise<string> {
  const program = `
    import { connectLog } from ${JSON.stringify(new URL('redis-log.ts', import.meta.url).href)}
    try {
      const log = await connectLog({ url: ${JSON.stringify(url)}, connectTimeoutMs: 2000 })
      await log.ping()
      await log.close()
      console.log('connected')
    } catch (error) {
      console.log('refused')
    }`
  const env = { ...process.env, ...(trusted ? { NODE_EXTRA_CA_CERTS: certificate } : {}) }
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { env })
  return stdout.trim()
}

test('rediss:// speaks TLS with user and password, and trusts only whom it should', async () => {
  const login = `anna:${encodeURIComponent('pass:word/1')}`
  expect(await connect(`rediss://${login}@localhost:${port}`, true)).toBe('connected')
  expect(await connect(`rediss://${login}@127.0.0.1:${port}/2`, true)).toBe('connected')
  expect(await connect(`rediss://${login}@localhost:${port}`, false)).toBe('refused')
  expect(await connect(`rediss://anna:wrong@localhost:${port}`, true)).toBe('refused')
})

test('an address of another kind is a mistake that does not repeat the password', async () => {
  for (const url of ['http://:hunter2@localhost:6379', 'redis://:hunter2@localhost/zero'])
    await expect(connectLog({ url })).rejects.toThrow(/^The address of Redis is (?!.*hunter2)/)
})
