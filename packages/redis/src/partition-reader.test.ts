import type { Topic } from '@millrace/event'
import { beginning } from '@millrace/log'
import { testTopic, unit } from '@millrace/log/contract'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectLog, type RedisLog } from './redis-log.ts'

let server: TestRedis
let log: RedisLog
let redis: Redis
beforeAll(async () => {
  server = await startRedis()
  log = await connectLog({ url: server.url })
  redis = new Redis(server.url)
})
afterAll(async () => {
  redis.disconnect()
  await log.close()
  await server.stop()
})

/** How many bytes Redis sends while something is done. */
async function sent(act: () => Promise<unknown>): Promise<number> {
  const total = async () => Number(/total_net_output_bytes:(\d+)/.exec(await redis.info('stats'))?.[1])
  const before = await total()
  await act()
  return (await total()) - before
}

const start = new Map([[0, beginning]])

test('a page of full entries fetches little more than it answers', async () => {
  const topic = testTopic({ partitions: 1 })
  for (let call = 0; call < 20; call++)
    await log.append(
      topic,
      Array.from({ length: 100 }, () => unit(topic, 'k', { data: 'x'.repeat(300) })),
    )
  const bytes = await sent(async () => {
    const page = (await log.read(topic, start, { limit: 200 })).get(0)
    expect(page).toHaveLength(200)
  })
  // 200 events of some 500 bytes; the log holds ten times as much.
  expect(bytes).toBeLessThan(250_000)
})

test('a page is full when there is enough, whatever the entries hold', async () => {
  const topic = testTopic({ partitions: 2 })
  for (let call = 0; call < 150; call++)
    await log.append(
      topic,
      Array.from({ length: call % 50 === 49 ? 100 : 1 }, () => unit(topic, 'b', { data: call })),
    )
  const read = async (limit: number, after = beginning) =>
    (await log.read(topic, new Map([[0, after]]), { limit })).get(0) ?? []
  for (const limit of [1, 7, 100, 149, 440]) expect((await read(limit)).length).toBeGreaterThanOrEqual(limit)
  const all = await read(10_000)
  expect(all).toHaveLength(447)
  expect(await read(10_000, all[100]?.position.id)).toHaveLength(346)
})

test('a range that was trimmed is an error and not a silence', async () => {
  const topic = testTopic({ partitions: 1 })
  for (let call = 0; call < 5; call++) await log.append(topic, [unit(topic, 'k')])
  const [{ position } = { position: { id: '' } }] = (await log.read(topic, start)).get(0) ?? []
  const [name = ''] = await redis.keys(`*{${topic.name}}*:log`)
  await redis.xtrim(name, 'MAXLEN', 2)
  await expect(log.read(topic, start)).rejects.toMatchObject({ code: 'log.trimmed' })
  await expect(log.read(topic, new Map([[0, position.id]]))).rejects.toMatchObject({ code: 'log.gap' })
})

test('what Millrace did not write stops the read', async () => {
  for (const fields of [
    ['e', '{}'],
    ['e', '[]'],
    ['other', 'thing'],
    ['e', '[{"id":1}]', 'n', '1 1'],
  ]) {
    const topic = testTopic({ partitions: 1 })
    await log.append(topic, [unit(topic, 'k')])
    const [name = ''] = await redis.keys(`*{${topic.name}}*:log`)
    await redis.xadd(name, '*', ...fields)
    await expect(log.read(topic, start)).rejects.toMatchObject({
      code: expect.stringMatching(/^(log\.corrupt|event\.invalid|log\.gap)$/),
    })
  }
})

test('of a key whose event was removed, or spoilt, the error says which, and how many come before it', async () => {
  const topic = testTopic({ partitions: 1 })
  for (let call = 0; call < 5; call++) await log.append(topic, [unit(topic, 'k')])
  const { events } = await log.readKey(topic, 'k')
  const ids = events.map(({ position }) => position.id)
  const [name = ''] = await redis.keys(`*{${topic.name}}*:log`)
  const [removed = '', spoilt = '', last = ''] = ids.slice(2)
  await redis.xdel(name, removed, spoilt, last)
  await redis.call('XSETID', name, removed)
  await redis.xadd(name, spoilt, 'e', 'no JSON')
  const at = (afterVersion: number) =>
    log.readKey(topic, 'k', { afterVersion }).catch((error: unknown) => error)
  expect(await at(0)).toMatchObject({ code: 'log.corrupt', details: { id: removed, before: 2 } })
  expect(await at(3)).toMatchObject({ code: 'log.corrupt', details: { id: spoilt, before: 0 } })
  expect(await at(4)).toMatchObject({ code: 'log.trimmed', details: { id: last, before: 0 } })
  expect((await log.readKey(topic, 'k', { limit: 2 })).events).toHaveLength(2)
})

describe('ahead', () => {
  const page = async (topic: Topic, after: string, limit = 100) =>
    (await log.read(topic, new Map([[0, after]]), { limit, ahead: true })).get(0) ?? []
  const fill = (topic: Topic, count: number) =>
    log.append(
      topic,
      Array.from({ length: count }, (_, data) => unit(topic, 'k', { data })),
    )
  const calls = async () =>
    Number(/cmdstat_xread:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0)

  test('page by page it is everything once and in order', async () => {
    const topic = testTopic({ partitions: 1 })
    for (let call = 0; call < 10; call++) await fill(topic, 70)
    const seqs: number[] = []
    for (let after = beginning; ;) {
      const events = await page(topic, after, 150)
      if (events.length === 0) break
      seqs.push(...events.map(({ position }) => position.seq))
      after = events.at(-1)?.position.id ?? ''
    }
    expect(seqs).toEqual(Array.from({ length: 700 }, (_, at) => at + 1))
  })

  test('what follows a full page is on its way when that is answered', async () => {
    const topic = testTopic({ partitions: 1 })
    for (let call = 0; call < 4; call++) await fill(topic, 100)
    const before = await calls()
    const first = await page(topic, beginning)
    await expect.poll(calls).toBe(before + 2)
    const second = await page(topic, first.at(-1)?.position.id ?? '')
    expect(second[0]?.position.seq).toBe(101)
    await expect.poll(calls).toBe(before + 3)
  })

  test('a page that was not full is read again', async () => {
    const topic = testTopic({ partitions: 1 })
    await fill(topic, 100)
    const first = await page(topic, beginning)
    // What was asked ahead is on the same connection: its answer, which is empty, comes before that of the append.
    await log.append(topic, [unit(topic, 'k')])
    expect(await page(topic, first.at(-1)?.position.id ?? '')).toHaveLength(1)
  })

  test('from elsewhere it is read as ever', async () => {
    const topic = testTopic({ partitions: 1 })
    for (let call = 0; call < 3; call++) await fill(topic, 100)
    const first = await page(topic, beginning)
    expect((await page(topic, first[49]?.position.id ?? ''))[0]?.position.seq).toBe(51)
    expect((await page(topic, beginning))[0]?.position.seq).toBe(1)
  })
})
