import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { writingConnection } from './connection.ts'
import { connectLog } from './redis-log.ts'
import { openLateServer } from '../../../test/support/late-server.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { selfSigned } from '../../../test/support/self-signed.ts'

const run = promisify(execFile)
const directory = mkdtempSync(path.join(tmpdir(), 'millrace-tls-'))
const certificate = path.join(directory, 'server.crt')
let redis: TestRedis
let port: number

beforeAll(async () => {
  redis = await startRedis({
    tls: await selfSigned(directory),
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

test('a connection that is given up in its handshake has more than one error, and ends no process', async () => {
  // What the server says reaches the client at once: that it is not to be trusted, and that it did not expect the end.
  const late = await openLateServer(port, () => client.disconnect())
  const url = `rediss://127.0.0.1:${late.port}`
  const errors: Error[] = []
  let client: Redis
  // Who stands still for longer than a disconnect waits hears nothing at all.
  while (errors.length === 0) {
    client = writingConnection({ url, onError: (error) => errors.push(error) })
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    client.once('end', end)
    await ended
  }
  await late.close()
  expect(errors).toMatchObject([{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }])
})

test('an address of another kind is a mistake that does not repeat the password', async () => {
  for (const url of ['http://:hunter2@localhost:6379', 'redis://:hunter2@localhost/zero'])
    await expect(connectLog({ url })).rejects.toThrow(/^The address of Redis is (?!.*hunter2)/)
})
