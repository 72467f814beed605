import type { Topic } from '@millrace/event'
import { beginning, type Position } from '@millrace/log'
import { happened, testTopic } from '@millrace/log/contract'
import type { Commit, DeadLetter, GroupPartition } from '@millrace/processor'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { closeConnection, whenReady, writingConnection } from './connection.ts'
import { connectGroupStore, type RedisGroupStore } from './group-store.ts'
import { Keys } from './keys.ts'
import { connectLog, type RedisLog } from './redis-log.ts'

let server: TestRedis
let redis: Redis
let log: RedisLog
let store: RedisGroupStore
const keys = new Keys()

beforeAll(async () => {
  server = await startRedis()
  redis = writingConnection({ url: server.url })
  await whenReady(redis)
  log = await connectLog({ url: server.url })
  store = await connectGroupStore({ url: server.url })
})
afterAll(async () => {
  await store.close()
  await log.close()
  await closeConnection(redis)
  await server.stop()
})

/** A partition with one entry for each number: so many events of one append. */
async function partitionOf(...entries: readonly number[]): Promise<{
  at: GroupPartition
  positions: readonly Position[]
}> {
  const topic: Topic = testTopic({ partitions: 1 })
  const positions: Position[] = []
  for (const count of entries) {
    const [result] = await log.append(topic, [
      { events: Array.from({ length: count }, () => happened(topic, 'k')) },
    ])
    if (result?.status === 'appended') positions.push(...result.positions)
  }
  return { at: { topic, partition: 0, group: 'readers' }, positions }
}

function namesOf({ topic, partition, group }: GroupPartition) {
  return {
    log: keys.partition(topic, partition).log,
    meta: keys.partition(topic, partition).meta,
    ...keys.group(topic, partition, group),
  }
}

type Group = Readonly<Record<string, unknown>>

async function redisGroup(at: GroupPartition): Promise<Group | undefined> {
  const [flat] = (await redis.xinfo('GROUPS', namesOf(at).log)) as unknown[][]
  if (!flat) return undefined
  return Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_, index) => [String(flat[index * 2]), flat[index * 2 + 1]]),
  )
}

async function dump(at: GroupPartition): Promise<unknown> {
  const names = Object.values(namesOf(at))
  return {
    groups: await redisGroup(at),
    keys: await Promise.all(names.map((name) => redis.dumpBuffer(name))),
  }
}

let members = 0

async function leased(at: GroupPartition): Promise<{ token: string; n: number }> {
  const lease = await store.acquire(at, `m${(members += 1)}`, 0)
  if (!lease) throw new Error('The lease is held')
  return lease
}

function commitOf(lease: { token: string; n: number }, position: Commit['position'] | undefined): Commit {
  return { ...lease, n: lease.n + 1, position: position ?? { id: beginning, seq: 0 }, ahead: [], dead: [] }
}

const letter: DeadLetter = {
  id: '1-1',
  seq: 1,
  key: 'k',
  type: 'Happened',
  eventId: 'e',
  reason: 'r',
  message: 'm',
  attempts: 1,
  atMs: 1,
}

test("Redis's own group stands at the last whole entry, with the true lag, at every position", async () => {
  const { at, positions } = await partitionOf(1, 3, 1, 4)
  const entryIds = ((await redis.xrange(namesOf(at).log, '-', '+')) as [string, string[]][]).map(([id]) => id)
  const wholeEntries = [1, 1, 1, 2, 3, 3, 3, 3, 4]
  for (const [index, position] of positions.entries()) {
    expect(await store.commit(at, commitOf(await leased(at), position))).toMatchObject({
      status: 'committed',
    })
    const read = wholeEntries[index] ?? 0
    expect(await redisGroup(at)).toMatchObject({
      'last-delivered-id': entryIds[read - 1],
      'entries-read': read,
      lag: 4 - read,
    })
  }
})

test('a group that has committed nothing shows its whole lag', async () => {
  const { at } = await partitionOf(1, 2)
  await leased(at)
  expect(await redisGroup(at)).toMatchObject({ 'last-delivered-id': '0-0', lag: 2 })
})

test('a group removed by hand comes back at the right place, with the next commit or lease', async () => {
  const { at, positions } = await partitionOf(1, 2, 1)
  await store.commit(at, commitOf(await leased(at), positions[0]))
  const lease = await leased(at)
  await redis.xgroup('DESTROY', namesOf(at).log, at.group)
  expect(await store.commit(at, commitOf(lease, positions[2]))).toMatchObject({ status: 'committed' })
  const there = await redisGroup(at)
  expect(there).toMatchObject({ 'last-delivered-id': positions[2]?.id, 'entries-read': 2, lag: 1 })
  await redis.xgroup('DESTROY', namesOf(at).log, at.group)
  await leased(at)
  expect(await redisGroup(at)).toEqual(there)
})

test('another group on the stream is left alone', async () => {
  const { at, positions } = await partitionOf(1, 1)
  await redis.xgroup('CREATE', namesOf(at).log, 'aaa-of-somebody-else', '0')
  await store.commit(at, commitOf(await leased(at), positions[1]))
  const groups = (await redis.xinfo('GROUPS', namesOf(at).log)) as unknown[][]
  expect(groups.map((group) => [group[1], group[7]])).toEqual([
    ['aaa-of-somebody-else', '0-0'],
    ['readers', positions[1]?.id],
  ])
})

test.each(['log', 'meta', 'group', 'dead'] as const)(
  'with a foreign type under %s, a commit writes nothing',
  async (name) => {
    const { at, positions } = await partitionOf(1, 1)
    const lease = await leased(at)
    await redis.set(namesOf(at)[name], 'foreign')
    const before = await dumpOf(at)
    const commit = { ...commitOf(lease, positions[1]), dead: [letter] }
    await expect(store.commit(at, commit)).rejects.toMatchObject({ code: 'log.corrupt' })
    expect(await dumpOf(at)).toEqual(before)
  },
)

test.each(['log', 'meta', 'group'] as const)(
  'with a foreign type under %s, nobody gets a lease and nothing is written',
  async (name) => {
    const { at } = await partitionOf(1)
    await redis.set(namesOf(at)[name], 'foreign')
    const before = await dumpOf(at)
    await expect(store.acquire(at, 'm', 1_000)).rejects.toMatchObject({ code: 'log.corrupt' })
    expect(await dumpOf(at)).toEqual(before)
  },
)

/** Like dump, for a log that may not be a stream. */
async function dumpOf(at: GroupPartition): Promise<unknown> {
  const isStream = (await redis.type(namesOf(at).log)) === 'stream'
  return isStream ? dump(at) : Promise.all(Object.values(namesOf(at)).map((name) => redis.dumpBuffer(name)))
}

test.each([
  ['fenced', (lease: { n: number }) => ({ token: '1-strange', n: lease.n })],
  ['fenced', (lease: { token: string; n: number }) => ({ ...lease, n: lease.n + 1 })],
])('a commit that is %s writes nothing, dead letters included', async (word, altered) => {
  const { at, positions } = await partitionOf(1, 1)
  const lease = await leased(at)
  const before = await dump(at)
  expect(await store.commit(at, { ...commitOf(altered(lease), positions[1]), dead: [letter] })).toEqual({
    status: word,
  })
  expect(await dump(at)).toEqual(before)
})

test('a token whose counter was handed out twice is fenced by its nonce', async () => {
  const { at, positions } = await partitionOf(1)
  const lease = await leased(at)
  // What a failover to a replica that lags does: the counter is back where it was.
  await redis.hset(namesOf(at).group, 'counter', '0')
  const other = await leased(at)
  expect(other.token.split('-')[0]).toBe(lease.token.split('-')[0])
  expect(await store.commit(at, commitOf(lease, positions[0]))).toEqual({ status: 'fenced' })
})

test('a record that was rolled back behind a commit fences the next one', async () => {
  const { at, positions } = await partitionOf(1, 1)
  const lease = await leased(at)
  const old = await redis.dumpBuffer(namesOf(at).group)
  await store.commit(at, commitOf(lease, positions[0]))
  await redis.restore(namesOf(at).group, 0, old, 'REPLACE')
  const next = { ...commitOf(lease, positions[1]), n: lease.n + 2 }
  expect(await store.commit(at, next)).toEqual({ status: 'fenced' })
})

test('an event in the place of another one is not taken for it', async () => {
  const { at, positions } = await partitionOf(2, 1)
  const lease = await leased(at)
  const [ms] = positions[0]?.id.split('-') ?? []
  for (const id of [`${Number(ms) - 1}-1`, `${Number(ms) + 1}-1`, `${Number(ms) - 1}-3`])
    await expect(
      store.commit(at, commitOf(lease, { id, seq: Number(id.split('-')[1]) })),
    ).rejects.toMatchObject({ code: 'commit.refused' })
})

test('a position whose entry was trimmed counts, as long as nothing older is left', async () => {
  const { at, positions } = await partitionOf(1, 2, 1, 1)
  const lease = await leased(at)
  await redis.xtrim(namesOf(at).log, 'MAXLEN', 2)
  expect(await store.commit(at, commitOf(lease, positions[1]))).toMatchObject({ status: 'committed' })
  expect(await redisGroup(at)).toMatchObject({ 'entries-read': 2, lag: 2 })
  await redis.xtrim(namesOf(at).log, 'MAXLEN', 0)
  expect(await store.commit(at, { ...commitOf(lease, positions[4]), n: 2 })).toMatchObject({
    status: 'committed',
  })
  expect(await redisGroup(at)).toMatchObject({ 'entries-read': 4, lag: 0 })
})

test('before the first event, a commit may settle events ahead', async () => {
  const { at } = await partitionOf(1, 1)
  const lease = await leased(at)
  expect(await store.commit(at, { ...commitOf(lease, undefined), ahead: [2] })).toMatchObject({
    status: 'committed',
  })
  expect(await redisGroup(at)).toMatchObject({ 'last-delivered-id': '0-0', lag: 2 })
})
