import { testTopic } from '@millrace/log/contract'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { closeConnection, whenReady, writingConnection } from './connection.ts'
import { connectGroupStore, type RedisGroupStore } from './group-store.ts'
import { Keys } from './keys.ts'

let server: TestRedis
let redis: Redis
let store: RedisGroupStore

beforeAll(async () => {
  server = await startRedis()
  redis = writingConnection({ url: server.url })
  await whenReady(redis)
  store = await connectGroupStore({ url: server.url })
})
afterAll(async () => {
  await store.close()
  await closeConnection(redis)
  await server.stop()
})

function place() {
  const topic = testTopic({ partitions: 1 })
  const at = { topic, partition: 0, group: 'readers' }
  return { at, names: new Keys().group(topic, 0, 'readers') }
}

const parked = '3 5 9 2\n{"why":"operator"}'
const deferred = '1\n[{"seq":7}]'

test('what is there of each key comes in the order of the question, whatever the others have', async () => {
  const { at, names } = place()
  await redis.hset(names.states, 'a', '1 4\n{"text":"x\\u001ey"}\n', 'ü "quoted"', '2 6\n3\n{}')
  await redis.hset(names.parked, 'b', parked)
  await redis.hset(names.deferred, 'c', deferred)
  const stored = await store.loadStates(at, ['nobody', 'c', 'a', '\u001e', 'b', 'ü "quoted"'])
  expect(stored).toMatchObject([
    { key: 'nobody', state: undefined, parked: undefined, deferred: [] },
    { key: 'c', state: undefined, parked: undefined, deferred: [{ seq: 7 }] },
    { key: 'a', state: { version: 1, seq: 4, state: '{"text":"x\\u001ey"}', ops: '' }, parked: undefined },
    { key: '\u001e', state: undefined, parked: undefined, deferred: [] },
    { key: 'b', state: undefined, parked: { key: 'b', no: 3, head: 5, last: 9, lined: 2 } },
    { key: 'ü "quoted"', state: { version: 2, seq: 6, state: '3', ops: '{}' } },
  ])
})

test('all parts of one key, and a thousand keys at once', async () => {
  const { at, names } = place()
  await redis.hset(names.states, 'key-999', '1 4\n{}\n')
  await redis.hset(names.parked, 'key-999', parked)
  await redis.hset(names.deferred, 'key-999', deferred)
  const stored = await store.loadStates(
    at,
    Array.from({ length: 1_000 }, (_, n) => `key-${n}`),
  )
  expect(stored).toHaveLength(1_000)
  expect(stored[998]).toEqual({ key: 'key-998', state: undefined, parked: undefined, deferred: [] })
  expect(stored[999]).toMatchObject({ state: { seq: 4 }, parked: { head: 5 }, deferred: [{ seq: 7 }] })
})

test.each(['states', 'parked', 'deferred'] as const)('a foreign type of %s is said', async (name) => {
  const { at, names } = place()
  await redis.set(names[name], 'foreign')
  await expect(store.loadStates(at, ['a'])).rejects.toMatchObject({ code: 'log.corrupt' })
})
