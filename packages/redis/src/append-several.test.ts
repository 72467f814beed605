import { type Event, MillraceError, partitionOfKey } from '@millrace/event'
import { type AppendUnit, prepare, type Prepared } from '@millrace/log'
import { claim, testTopic, unit } from '@millrace/log/contract'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { Appender, type PartitionUnits } from './append.ts'
import { Keys } from './keys.ts'
import { connectLog, type RedisLog } from './redis-log.ts'

const topic = testTopic({ partitions: 4 })
const keys = new Keys()
// One key of each partition.
const keyOf = (partition: number) =>
  'abcdefghijklmnopqrstuvwxyz'.split('').find((key) => partitionOfKey(topic, key) === partition) ?? ''
const partitions = [0, 1, 2, 3]

let server: TestRedis
let redis: Redis
let log: RedisLog
let appender: Appender

beforeEach(async () => {
  server = await startRedis()
  redis = new Redis(server.url, { replyMapping: 'legacy' })
  log = await connectLog({ url: server.url })
  appender = new Appender(redis, keys, {
    dedupeWindowMs: 60_000,
    dedupeIds: 1_000,
    packEvents: 10,
    packBytes: 4_096,
  })
})

afterEach(async () => {
  redis.disconnect()
  await log.close()
  await server.stop()
})

const part = (partition: number, ...units: readonly AppendUnit[]): PartitionUnits => ({
  partition,
  units: units.map((one) => prepare(topic, one)).filter((one): one is Prepared => !(one instanceof Error)),
})
const words = (answers: Awaited<ReturnType<Appender['several']>>) =>
  answers.map((answer) =>
    answer instanceof MillraceError
      ? answer.code
      : answer.map((result) => (result.status === 'refused' ? result.error.code : result.status)),
  )
const eventsOn = async (partition: number): Promise<readonly Event[]> =>
  ((await log.read(topic, new Map([[partition, '0-0']]))).get(partition) ?? []).map(({ event }) => event)

describe('one call for several partitions', () => {
  test('writes each as a call of its own would', async () => {
    const units = partitions.map((partition) => unit(topic, keyOf(partition)))
    const answers = await appender.several(
      topic,
      partitions.map((partition, at) => part(partition, units[at] as AppendUnit)),
    )
    expect(words(answers)).toEqual(Array(4).fill(['appended']))
    for (const [at, partition] of partitions.entries())
      expect(await eventsOn(partition)).toEqual(units[at]?.events)
    expect(answers[2]).toMatchObject([{ positions: [{ partition: 2, seq: 1 }], version: 1 }])
    const again = await appender.several(topic, [part(1, units[1] as AppendUnit)])
    expect(words(again)).toEqual([['duplicate']])
  })

  test('judges a claim by what the partitions before it took', async () => {
    const claiming = (partition: number) =>
      unit(topic, keyOf(partition), { claims: [claim('claim', 'anna')] })
    const answers = await appender.several(topic, [part(2, claiming(2)), part(0, claiming(0))])
    expect(words(answers)).toEqual([['appended'], ['append.claimed']])
    expect(await eventsOn(0)).toEqual([])
  })

  test('lets a partition that is broken fail alone, before and after it all stands', async () => {
    await redis.set(keys.partition(topic, 1).meta, 'not what you think')
    await redis.xadd(keys.partition(topic, 2).log, '*', 'from', 'a stranger')
    const answers = await appender.several(
      topic,
      partitions.map((partition) => part(partition, unit(topic, keyOf(partition)))),
    )
    expect(words(answers)).toEqual([['appended'], 'log.corrupt', 'log.corrupt', ['appended']])
    expect(answers[1]).toMatchObject({ message: expect.stringContaining(`${topic.name}/1: WRONGTYPE`) })
    expect(await eventsOn(3)).toHaveLength(1)
  })

  test('says of a server that takes no writes that nothing was written', async () => {
    await redis.config('SET', 'maxmemory', '1')
    const units = partitions.map((partition) => part(partition, unit(topic, keyOf(partition))))
    const ended = await appender.several(topic, units).then(words, (error: unknown) => String(error))
    await redis.config('SET', 'maxmemory', '0')
    expect(JSON.stringify(ended)).toMatch(/OOM|log\.unavailable/)
    for (const partition of partitions) expect(await eventsOn(partition)).toEqual([])
  })

  test('is what a log sends for concurrent appends, and each gets its own answer', async () => {
    await log.append(topic, [unit(topic, 'x')])
    await redis.config('RESETSTAT')
    const results = await Promise.all(
      partitions.flatMap((partition) => [
        log.append(topic, [unit(topic, keyOf(partition))]),
        log.append(topic, [unit(topic, keyOf(partition), { expectedVersion: 9 })]),
      ]),
    )
    expect(results.flat().map(({ status }) => status)).toEqual(
      partitions.flatMap(() => ['appended', 'refused']),
    )
    // The first is answered with "no such script", and sent again with its text.
    const stats = await redis.info('commandstats')
    expect(/cmdstat_eval:calls=(\d+)/.exec(stats)?.[1]).toBe('1')
    expect(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]).toBe('1')
  })
})
