import { partitionOfKey, type Topic } from '@millrace/event'
import { testTopic, unit } from '@millrace/log/contract'
import { type ConsumerEvent, processor, run } from '@millrace/processor'
import { describeRunningContract } from '@millrace/processor/contract'
import { afterEach, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { closeConnection, whenReady, writingConnection } from './connection.ts'
import { connectGroupStore, type RedisGroupStore } from './group-store.ts'
import { Keys } from './keys.ts'
import { connectLog, type RedisLog } from './redis-log.ts'

describeRunningContract('Redis', async () => {
  const redis = await startRedis()
  let now = Date.now()
  const log = await connectLog({ url: redis.url, now: () => now })
  const store = await connectGroupStore({ url: redis.url, now: () => now })
  return {
    log,
    store,
    advance: (ms) => {
      now += ms
    },
    close: async () => {
      await store.close()
      await log.close()
      await redis.stop()
    },
  }
})

interface Setting {
  readonly server: TestRedis
  readonly log: RedisLog
  readonly store: RedisGroupStore
}

const open: Setting[] = []
afterEach(async () => {
  for (const { server, log, store } of open.splice(0)) {
    await store.close()
    await log.close()
    await server.stop()
  }
})

async function setUp(): Promise<Setting> {
  const server = await startRedis({ appendonly: true, extra: ['appendfsync always'] })
  const log = await connectLog({ url: server.url, commandTimeoutMs: 30_000 })
  const store = await connectGroupStore({ url: server.url, commandTimeoutMs: 30_000 })
  const setting = { server, log, store }
  open.push(setting)
  return setting
}

/** Resolves when the condition holds; `look` is to be called whenever something happens. */
function watched(condition: () => boolean): { done: Promise<void>; look: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return {
    done: promise,
    look: () => {
      if (condition()) resolve()
    },
  }
}

test('Redis goes away and comes back: nothing is lost, nothing stops for good', async () => {
  const { server, log, store } = await setUp()
  const topic: Topic = testTopic({ partitions: 2 })
  const append = (from: number, count: number) =>
    log.append(
      topic,
      Array.from({ length: count }, (_, at) => unit(topic, `k${at % 5}`, { data: from + at })),
    )
  const done: unknown[] = []
  const news: ConsumerEvent[] = []
  const first = watched(() => new Set(done).size >= 50)
  const trouble = watched(() => news.some(({ kind }) => kind === 'trouble'))
  const all = watched(() => new Set(done).size >= 100)
  await append(0, 50)
  const readers = processor('readers', topic, {
    handle: ({ data }) => {
      done.push(data)
      first.look()
      all.look()
    },
  })
  const running = await run(readers, {
    log,
    store,
    leaseMs: 3_000,
    observe: (event) => {
      news.push(event)
      trouble.look()
    },
  })
  await first.done
  await server.kill()
  await trouble.done
  await server.restart()
  // The log reconnects by itself; until then an append says that nothing was written.
  const refusals: unknown[] = []
  const appended = async () => {
    try {
      return (await append(50, 50)).length > 0
    } catch (error) {
      refusals.push(error)
      return false
    }
  }
  while (!(await appended())) continue
  for (const refusal of refusals) expect(refusal).toMatchObject({ retryable: true })
  await all.done
  await running.stop()
  const state = await Promise.all(
    [0, 1].map((partition) => store.look({ topic, partition, group: 'readers' })),
  )
  const tips = await log.tips(topic)
  expect(state.map(({ position }) => position.seq)).toEqual(tips.map(({ seq }) => seq))
})

test('a gap stops its partition by name, and no other', async () => {
  const { server, log, store } = await setUp()
  const topic: Topic = testTopic({ partitions: 2 })
  const [zero, one] = [0, 1].map(
    (partition) =>
      Array.from({ length: 50 }, (_, at) => `k${at}`).find(
        (key) => partitionOfKey(topic, key) === partition,
      ) ?? '',
  )
  for (let at = 0; at < 4; at++) {
    await log.append(topic, [unit(topic, zero ?? ''), unit(topic, one ?? '')])
  }
  const redis = writingConnection({ url: server.url })
  await whenReady(redis)
  const name = new Keys().partition(topic, 0).log
  const entries = await redis.xrange(name, '-', '+')
  await redis.xdel(name, entries[1]?.[0] ?? '')
  const done: string[] = []
  const news: ConsumerEvent[] = []
  const both = watched(
    () => done.filter((key) => key === one).length === 4 && news.some((event) => event.kind === 'ended'),
  )
  const readers = processor('readers', topic, {
    handle: ({ subject }) => {
      done.push(subject)
      both.look()
    },
  })
  const running = await run(readers, {
    log,
    store,
    observe: (event) => {
      news.push(event)
      both.look()
    },
  })
  await both.done
  expect(news.find((event) => event.kind === 'ended')).toMatchObject({ partition: 0, reason: 'fault' })
  expect(running.health()).toMatchObject({ state: 'down', message: expect.stringContaining('goes from') })
  await running.stop()
  await closeConnection(redis)
})
