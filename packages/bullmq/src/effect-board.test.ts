import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { openEffectBoard } from './effect-board.ts'
import { effectQueue } from './queue-place.ts'

let redis: TestRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const away = {
  name: 'post',
  state: 'open',
  waiting: 50_000,
  reason: 'no answer for anna@example.org',
} as const
const sinceMs = Date.parse('2026-11-22T10:00:00Z')

function boardOf(member: string) {
  return openEffectBoard({ redis: { port: redis.port }, group: 'mail', effects: ['post', 'letter'], member })
}

async function look<T>(ask: (queue: Queue) => Promise<T>): Promise<T> {
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null })
  const { name, prefix } = effectQueue('mail', 'post')
  const queue = new Queue(name, { connection, prefix })
  try {
    return await ask(queue)
  } finally {
    await queue.close()
    connection.disconnect()
  }
}

const seen = () => look(async (queue) => ({ paused: await queue.isPaused(), jobs: await queue.getJobs() }))

test('an effect that is away is one record in a paused queue, however much waits, until it is back', async () => {
  const board = boardOf('a')
  board.show({ ...away, sinceMs })
  board.show({ ...away, state: 'half-open', sinceMs })
  board.show({ ...away, sinceMs, probeAtMs: sinceMs + 60_000 })
  await board.shown()
  const { paused, jobs } = await seen()
  expect([paused, jobs.length]).toEqual([true, 1])
  expect(jobs[0]).toMatchObject({
    name: 'post cannot be carried out since 2026-11-22T10:00:00.000Z: 50000 wait',
    data: {
      breaker: 'open',
      nextProbe: '2026-11-22T10:01:00.000Z',
      reason: 'no answer for a***@example.org',
    },
  })
  const other = boardOf('b')
  other.show({ ...away, sinceMs, waiting: 3 })
  await other.shown()
  board.show({ ...away, state: 'closed', sinceMs, waiting: 0 })
  await board.shown()
  expect(await seen()).toMatchObject({ paused: true, jobs: [{ data: { waiting: 3 } }] })
  await other.close()
  expect(await seen()).toEqual({ paused: false, jobs: [] })
  await board.close()
})

test('what a member left behind when it died is gone when it is back', async () => {
  const died = boardOf('a')
  died.show({ ...away, sinceMs })
  await died.shown()
  const back = boardOf('a')
  await back.shown()
  expect(await seen()).toEqual({ paused: false, jobs: [] })
  await died.close()
  await back.close()
})
