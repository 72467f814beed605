import { appendOne, beginning } from '@millrace/log'
import { testTopic, unit } from '@millrace/log/contract'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CutProxy } from '../../../test/support/cut-proxy.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectLog, type RedisLog } from './redis-log.ts'

let server: TestRedis
let proxy: CutProxy
/** Reads through the proxy; its connections are the ones that suffer. */
let reader: RedisLog
let writer: RedisLog
let redis: Redis
const topic = testTopic({ partitions: 1 })
const start = new Map([[0, beginning]])
/** Longer than a busy machine lets a process wait. */
const patienceMs = 60_000

beforeEach(async () => {
  server = await startRedis()
  proxy = await CutProxy.open(server.port)
  reader = await connectLog({ url: proxy.url, commandTimeoutMs: patienceMs, connectTimeoutMs: patienceMs })
  writer = await connectLog({ url: server.url })
  redis = new Redis(server.url)
})

afterEach(async () => {
  await reader.close()
  await writer.close()
  redis.disconnect()
  await proxy.close()
  await server.stop()
})

/** Resolves when so many reads wait in the server. */
async function blocked(count: number): Promise<void> {
  const look = async () => expect(await redis.info('clients')).toContain(`blocked_clients:${count}\r\n`)
  await vi.waitFor(look, { timeout: patienceMs, interval: 10 })
}

test('64 reads can wait at once, all are answered, and one more is refused', async () => {
  const reads = Array.from({ length: 64 }, () => reader.read(topic, start, { waitMs: 30_000 }))
  await blocked(64)
  await expect(reader.read(topic, start, { waitMs: 30_000 })).rejects.toMatchObject({
    code: 'log.unavailable',
  })
  await appendOne(writer, topic, unit(topic, 'a', { data: 'news' }))
  const answers = await Promise.all(reads)
  expect(answers.map((answer) => answer.get(0)?.map(({ event }) => event.data))).toEqual(
    Array.from({ length: 64 }, () => ['news']),
  )
  // The connections are kept: the next reads make none.
  const made = proxy.connections
  await Promise.all(Array.from({ length: 64 }, () => reader.read(topic, start, { waitMs: 30_000 })))
  expect(proxy.connections).toBe(made)
})

test('a read whose connection is cut says so, and the next one has another connection', async () => {
  const reading = reader.read(topic, start, { waitMs: 30_000 })
  await blocked(1)
  proxy.cutAll()
  await expect(reading).rejects.toMatchObject({ code: 'log.unavailable', retryable: true })
  const next = reader.read(topic, start, { waitMs: 30_000 })
  await appendOne(writer, topic, unit(topic, 'a', { data: 'news' }))
  expect((await next).get(0)).toHaveLength(1)
})

test('a read that hangs ends soon after its time, and the next one has another connection', async () => {
  const hasty = await connectLog({ url: proxy.url, commandTimeoutMs: 400, connectTimeoutMs: patienceMs })
  const connected = () => hasty.read(topic, start, { waitMs: 1 })
  await vi.waitFor(connected, { timeout: patienceMs, interval: 10 })
  proxy.hang()
  // The other read would go on for a minute.
  const patient = reader.read(topic, start, { waitMs: 1 })
  await expect(Promise.race([hasty.read(topic, start, { waitMs: 200 }), patient])).rejects.toMatchObject({
    code: 'log.unavailable',
  })
  proxy.resume()
  await patient
  await appendOne(writer, topic, unit(topic, 'a'))
  const made = proxy.connections
  const next = await hasty.read(topic, start, { waitMs: 30_000 })
  expect(next.get(0)).toHaveLength(1)
  expect(proxy.connections).toBeGreaterThan(made)
  await hasty.close()
})

test('a read that hangs can still be called off', async () => {
  await reader.read(topic, start, { waitMs: 1 })
  const abort = new AbortController()
  const reading = reader.read(topic, start, { waitMs: 60_000, signal: abort.signal })
  await blocked(1)
  proxy.hang()
  abort.abort()
  expect((await reading).size).toBe(0)
})

test('reads that wait end with the log, without an error', async () => {
  const reads = Array.from({ length: 3 }, () => reader.read(topic, start, { waitMs: 60_000 }))
  await blocked(3)
  await reader.close()
  for (const read of await Promise.all(reads)) expect(read.size).toBe(0)
})
