import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
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
  redis = await startRedis({
    tls: { certificate, key },
    extra: ['user anna on >pass:word/1 ~* &* +@all'],
  })
  port = redis.tlsPort
})

afterAll(async () => {
  await redis.stop()
  rmSync(directory, { recursive: true })
})

/** Connects in a process of its own, because the trusted certificates are read at its start. */
async function connect(url: string, trusted: boolean, connectTimeoutMs: number): Promise<string> {
  const program = `
    import { connectLog } from ${JSON.stringify(new URL('redis-log.ts', import.meta.url).href)}
    try {
      const log = await connectLog({ url: ${JSON.stringify(url)}, connectTimeoutMs: ${connectTimeoutMs} })
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
  // Whoever is refused tries again until its time is over.
  const [patientMs, hastyMs] = [60_000, 2_000]
  expect(await connect(`rediss://${login}@localhost:${port}`, true, patientMs)).toBe('connected')
  expect(await connect(`rediss://${login}@127.0.0.1:${port}/2`, true, patientMs)).toBe('connected')
  expect(await connect(`rediss://${login}@localhost:${port}`, false, hastyMs)).toBe('refused')
  expect(await connect(`rediss://anna:wrong@localhost:${port}`, true, hastyMs)).toBe('refused')
})

test('an address of another kind is a mistake that does not repeat the password', async () => {
  for (const url of ['http://:hunter2@localhost:6379', 'redis://:hunter2@localhost/zero'])
    await expect(connectLog({ url })).rejects.toThrow(/^The address of Redis is (?!.*hunter2)/)
})
