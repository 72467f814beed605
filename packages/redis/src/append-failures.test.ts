import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { appendOne, beginning } from '@millrace/log'
import { claim, happened, testTopic, unit } from '@millrace/log/contract'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { CutProxy } from '../../../test/support/cut-proxy.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectLog, type RedisLog } from './redis-log.ts'

let server: TestRedis
let proxy: CutProxy
let log: RedisLog
let redis: Redis
const topic = testTopic({ partitions: 1 })
/** Longer than a busy machine lets a process wait: what ends earlier was ended by what the test did. */
const patienceMs = 60_000
const waiting = { timeout: patienceMs, interval: 20 }

beforeEach(async () => {
  server = await startRedis({ appendonly: true })
  proxy = await CutProxy.open(server.port)
  log = await connectLog({ url: proxy.url, commandTimeoutMs: patienceMs, connectTimeoutMs: patienceMs })
  redis = new Redis(server.url)
})

afterEach(async () => {
  redis.disconnect()
  await log.close()
  await proxy.close()
  await server.stop()
})

const everything = async () =>
  ((await log.read(topic, new Map([[0, beginning]]), { limit: 10_000 })).get(0) ?? []).map(
    ({ event }) => event.data,
  )

/** Appends again and again until the log is back. */
const backAgain = (data: string) =>
  vi.waitFor(() => appendOne(log, topic, unit(topic, 'back', { data })), waiting)

describe('an answer that is lost', () => {
  // The server has the script then: else the lost answer would be "no such script", and nothing written.
  beforeEach(() => backAgain('first'))

  test('leaves the caller not knowing, and a repeat writes nothing twice', async () => {
    const units = [
      unit(topic, 'a', { data: 'plain' }),
      unit(topic, 'b', { data: 'claiming', expectedVersion: 0, claims: [claim('claim', 'anna')] }),
    ]
    proxy.cutNextAnswer()
    await expect(log.append(topic, units)).rejects.toMatchObject({ code: 'append.unknown', retryable: true })
    expect(proxy.cuts).toBe(1)
    const again = await vi.waitFor(() => log.append(topic, units), waiting)
    expect(again.map(({ status }) => status)).toEqual(['duplicate', 'duplicate'])
    expect(await everything()).toEqual(['first', 'plain', 'claiming'])
    expect(await log.ownerOf(topic, 'email', claim('claim', 'anna').digests)).toBe('b')
  })

  test('of a channel is known by the repeat', async () => {
    const batch = {
      partition: 0,
      channel: 'feed',
      incarnation: 1,
      first: 1,
      events: [happened(topic, 'a', 1)],
    }
    proxy.cutNextAnswer()
    await expect(log.appendChannel(topic, batch)).rejects.toMatchObject({ code: 'append.unknown' })
    const again = await vi.waitFor(() => log.appendChannel(topic, batch), waiting)
    expect(again).toEqual({ status: 'appended', taken: 0, last: 1 })
  })

  test('does not carry the events into what somebody may log', async () => {
    const failing = () =>
      log.append(topic, [unit(topic, 'a', { data: 'private' })]).catch((error: unknown) => error)
    proxy.cutNextAnswer()
    const unknown = await failing()
    await backAgain('second')
    await redis.config('SET', 'maxmemory', '1')
    const refusal = await failing()
    for (const one of [unknown, refusal]) {
      expect(one).toBeInstanceOf(Error)
      expect(everythingIn(one)).not.toContain('private')
    }
  })
})

/** All that can be got out of an error: its own properties and those of its causes. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = Object.getOwnPropertyNames(error).map((name) => JSON.stringify(Reflect.get(error, name)))
  return [error.message, ...own, everythingIn(error.cause)].join('\n')
}

describe('a server that does not take writes', () => {
  const expectRefused = async (words: RegExp) => {
    const refusal: unknown = await log
      .append(topic, [unit(topic, 'a', { claims: [claim('claim', 'anna')] })])
      .catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'log.unavailable', retryable: true })
    expect(String(refusal)).toMatch(words)
    expect(await redis.dbsize()).toBe(0)
  }

  test('because its memory is full', async () => {
    await redis.config('SET', 'maxmemory', '1')
    await expectRefused(/OOM/)
    await redis.config('SET', 'maxmemory', '0')
    await backAgain('room')
  })

  test('because it is a replica', async () => {
    await redis.replicaof('127.0.0.1', '1')
    await expectRefused(/READONLY/)
    await redis.replicaof('NO', 'ONE')
    await backAgain('promoted')
    expect(proxy.connections).toBeGreaterThan(1)
  })

  test('because it cannot save', async () => {
    const [, directory = ''] = (await redis.config('GET', 'dir')) as string[]
    await redis.config('SET', 'save', '3600 1')
    // A snapshot cannot take the place of a directory.
    mkdirSync(path.join(directory, 'dump.rdb'))
    await redis.set('something', 'to save')
    await redis.bgsave()
    await vi.waitFor(
      async () => expect(await redis.info('persistence')).toContain('rdb_last_bgsave_status:err'),
      waiting,
    )
    await expect(redis.del('something')).rejects.toThrow(/MISCONF/)
    await expect(log.append(topic, [unit(topic, 'a')])).rejects.toMatchObject({ code: 'log.unavailable' })
    expect(await redis.dbsize()).toBe(1)
    await redis.config('SET', 'save', '')
    await backAgain('saved')
  })

  test.each(['LOADING Redis is loading the dataset in memory', 'BUSY Redis is busy running a script'])(
    'because: %s',
    async (words) => {
      proxy.answerNext(`-${words}\r\n`)
      await expectRefused(new RegExp(words))
      await backAgain('loaded')
    },
  )

  test('because nobody listens', async () => {
    await proxy.refuse()
    await vi.waitFor(
      () => expect(log.append(topic, [unit(topic, 'a')])).rejects.toMatchObject({ code: 'log.unavailable' }),
      waiting,
    )
    expect(await redis.dbsize()).toBe(0)
    await proxy.accept()
    await backAgain('listening')
    expect(await everything()).toEqual(['listening'])
  })
})

describe('a server that hangs', () => {
  let hasty: RedisLog
  beforeEach(async () => {
    hasty = await connectLog({ url: proxy.url, commandTimeoutMs: 400, connectTimeoutMs: patienceMs })
  })
  afterEach(() => hasty.close())

  /** Until its answer comes in time; the repeat of one that came too late writes nothing. */
  const appendedInTime = (data: string) => {
    const one = unit(topic, 'back', { data })
    return vi.waitFor(() => appendOne(hasty, topic, one), waiting)
  }

  test('costs the time limit, and its connection is replaced', async () => {
    const made = proxy.connections
    proxy.hang()
    const patient = log.append(topic, [unit(topic, 'a', { data: 'later' })])
    const ended = hasty.append(topic, [unit(topic, 'a', { data: 'late' })])
    await expect(Promise.race([ended, patient])).rejects.toMatchObject({ code: 'append.unknown' })
    await expect.poll(() => proxy.connections).toBeGreaterThan(made)
    proxy.resume()
    await appendedInTime('early')
    expect(await patient).toMatchObject([{ status: 'appended' }])
  })

  test('and does late what it was asked for does not make the repeat a second event', async () => {
    await appendedInTime('first')
    proxy.hang()
    const one = unit(topic, 'a', { id: 'one', data: 'once' })
    await expect(hasty.append(topic, [one])).rejects.toMatchObject({ code: 'append.unknown' })
    expect(await redis.keys('*:key:a')).toEqual([])
    proxy.resume()
    await vi.waitFor(async () => expect(await redis.keys('*:key:a')).toHaveLength(1), waiting)
    const again = await vi.waitFor(() => appendOne(hasty, topic, one), waiting)
    expect(again.status).toBe('duplicate')
    expect(await everything()).toEqual(['first', 'once'])
  })

  test('cannot keep the log from closing', async () => {
    const closing = await connectLog({ url: proxy.url, commandTimeoutMs: patienceMs })
    await closing.read(topic, new Map([[0, beginning]]), { waitMs: 20 })
    proxy.hang()
    await closing.close()
    await expect(closing.append(topic, [unit(topic, 'a')])).rejects.toBeInstanceOf(Error)
  })
})

describe('scripts that the server has lost', () => {
  test('are sent again, and nothing is written twice or out of order', async () => {
    for (let round = 0; round < 10; round++) {
      const batch = (part: number) => [unit(topic, 'k', { data: `${round}.${part}` })]
      const appends = [log.append(topic, batch(0)), redis.script('FLUSH'), log.append(topic, batch(1))]
      await Promise.all(appends)
      await redis.script('FLUSH')
      await log.append(topic, batch(2))
    }
    const rounds = Array.from({ length: 10 }, (_, round) => [`${round}.0`, `${round}.1`, `${round}.2`]).flat()
    expect(await everything()).toEqual(rounds)
  })

  test('by a restart do not matter: positions go on where they were', async () => {
    await backAgain('before')
    await server.restart()
    await backAgain('after')
    const [tip] = await log.tips(topic)
    expect(tip?.seq).toBe(2)
    expect(await everything()).toEqual(['before', 'after'])
  })
})
