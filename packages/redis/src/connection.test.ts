import { inspect } from 'node:util'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CutProxy } from '../../../test/support/cut-proxy.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { whenReady, writingConnection } from './connection.ts'

let server: TestRedis
let proxy: CutProxy
let direct: Redis
const clients: Redis[] = []
/** Longer than a busy machine lets a process wait. */
const patienceMs = 60_000
const waiting = { timeout: patienceMs, interval: 20 }

beforeEach(async () => {
  server = await startRedis()
  proxy = await CutProxy.open(server.port)
  direct = new Redis(server.url)
})

afterEach(async () => {
  for (const client of [direct, ...clients.splice(0)]) client.disconnect()
  await proxy.close()
  await server.stop()
})

/** A connection as ioredis makes it when one says nothing. */
async function asItComes(): Promise<Redis> {
  const client = new Redis(proxy.url)
  client.on('error', () => undefined)
  clients.push(client)
  await whenReady(client, patienceMs)
  return client
}

async function ours(): Promise<Redis> {
  const client = writingConnection({ url: proxy.url, commandTimeoutMs: patienceMs })
  clients.push(client)
  await whenReady(client, patienceMs)
  return client
}

/** Adds an entry and loses the answer; resolves when the client is connected again. */
async function addAndLoseAnswer(client: Redis): Promise<unknown> {
  const made = proxy.connections
  proxy.cutNextAnswer()
  const outcome = await client.xadd('stream', '*', 'a', 'b').catch((error: unknown) => error)
  expect(proxy.cuts).toBe(1)
  await vi.waitFor(() => expect(proxy.connections).toBeGreaterThan(made), waiting)
  await vi.waitFor(() => client.ping(), waiting)
  return outcome
}

describe('a command whose answer is lost', () => {
  test('control: is carried out twice by ioredis as it comes', async () => {
    expect(await addAndLoseAnswer(await asItComes())).toEqual(expect.any(String))
    expect(await direct.xlen('stream')).toBe(2)
  })

  test('is carried out once by a writing connection, and rejected', async () => {
    expect(await addAndLoseAnswer(await ours())).toBeInstanceOf(Error)
    expect(await direct.xlen('stream')).toBe(1)
  })
})

describe('a command while there is no connection', () => {
  test('control: is carried out later by ioredis as it comes, also when it was rejected', async () => {
    const client = await asItComes()
    await proxy.refuse()
    await expect.poll(() => client.status).toBe('reconnecting')
    // For this command alone: with a question of its own that is answered too late, ioredis gives up what waits.
    client.options.commandTimeout = 50
    await expect(client.incr('counter')).rejects.toThrow('Command timed out')
    client.options.commandTimeout = patienceMs
    await proxy.accept()
    await vi.waitFor(async () => expect(await direct.get('counter')).toBe('1'), waiting)
  })

  test('is rejected at once by a writing connection, and never carried out', async () => {
    const client = await ours()
    await proxy.refuse()
    await expect.poll(() => client.status).toBe('reconnecting')
    await expect(client.incr('counter')).rejects.toThrow()
    await proxy.accept()
    await vi.waitFor(() => client.ping(), waiting)
    expect(await direct.get('counter')).toBeNull()
  })
})

test('a connection that has ended is not waited for', async () => {
  const client = await ours()
  client.disconnect()
  await expect.poll(() => client.status).toBe('end')
  await expect(whenReady(client, 60_000)).rejects.toThrow('has ended')
})

test('a server that accepts and says nothing is not waited for longer than the limit', async () => {
  proxy.hang()
  const client = writingConnection({ url: proxy.url, commandTimeoutMs: 100 })
  clients.push(client)
  await expect(whenReady(client, 200)).rejects.toThrow('within 200 ms')
})

test.each(['redis://:hunter2@host:port', 'http://:hunter2@host', 'redis://:hunter2@host/first'])(
  'what is no address of Redis is refused without its password',
  (url) => {
    let thrown: unknown
    try {
      writingConnection({ url })
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(TypeError)
    expect(inspect(thrown)).not.toContain('hunter2')
  },
)
