import { setTimeout as delay } from 'node:timers/promises'
import type { RetryJob } from '@millrace/retry'
import { retryId } from '@millrace/retry'
import { describeRetryClock } from '@millrace/retry/contract'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import type { JobData } from './job-data.ts'
import { type BullRetryClock, connectRetryClock, type RetryClockOptions } from './retry-clock.ts'

const tickMs = 60

let redis: TestRedis
beforeAll(async () => {
  // As in Redis Cluster: a script whose keys lie in several slots is refused.
  redis = await startRedis({ appendonly: true, extra: ['cluster-enabled yes'] })
  const direct = new Redis(redis.url)
  await direct.call('cluster', 'addslotsrange', '0', '16383')
  while (!String(await direct.call('cluster', 'info')).includes('cluster_state:ok')) await delay(20)
  await direct.quit()
})
afterAll(() => redis.stop())

const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

let groups = 0
const freshGroup = () => `group-${(groups += 1)}`

async function connect(group: string, more: Partial<RetryClockOptions> = {}): Promise<BullRetryClock> {
  const clock = await connectRetryClock({
    redis: { port: redis.port },
    topic: 'orders',
    group,
    secret: 'a secret of the tests',
    asking: { dueMs: 2 * tickMs, alreadyMs: 2 * tickMs, failedMs: tickMs },
    ...more,
  })
  cleanUp.push(() => clock.close())
  return clock
}

/** The queue as the dashboard has it. */
function look({ place }: BullRetryClock): Queue<JobData> {
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null })
  const queue = new Queue<JobData>(place.name, { connection, prefix: place.prefix })
  cleanUp.push(async () => {
    await queue.close()
    connection.disconnect()
  })
  return queue
}

function jobOf(more: Partial<RetryJob> = {}): RetryJob {
  return {
    ...{ topic: 'orders', partition: 0, group: 'bill', generation: 0, key: 'order-17', parkNo: 1, head: 7 },
    ...{ attempt: 3, dueMs: Date.now() + 1e6 },
    story: {
      type: 'OrderPlaced',
      eventId: 'e1',
      correlationId: 'c1',
      reason: 'mail.refused',
      error: 'refused for anna.berg@example.org',
      stack: 'Error: refused for anna.berg@example.org\n    at send (smtp.ts:7:1)',
      data: { email: 'anna.berg@example.org', password: 'hunter2' },
    },
    ...more,
  }
}

/** Looks until it holds: what another connection brings about has no other sign. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const fromMs = Date.now(); !(await holds()); await delay(20))
    if (Date.now() - fromMs > 30_000) throw new Error('It did not come about')
}

describeRetryClock('on BullMQ', async () => {
  const direct = new Redis(redis.url, { maxRetriesPerRequest: null })
  const clock = await connectRetryClock({
    redis: { port: redis.port },
    topic: 'orders',
    group: freshGroup(),
    secret: 'a secret of the tests',
    asking: { dueMs: 2 * tickMs, alreadyMs: 2 * tickMs, failedMs: tickMs },
  })
  const { name, prefix } = clock.place
  const queue = new Queue<JobData>(name, { connection: direct, prefix })
  return {
    clock,
    tickMs,
    now: () => Date.now(),
    pass: (ms) => delay(ms),
    retryNow: async (id) => {
      const job = await queue.getJob(id)
      await until(async () => ['failed', 'delayed'].includes((await job?.getState()) ?? ''))
      if (await job?.isFailed()) await job?.retry('failed')
      else await job?.promote()
    },
    untilHeld: (id) => until(async () => (await (await queue.getJob(id))?.isFailed()) === true),
    planned: async () =>
      (await queue.getJobs(['delayed', 'wait', 'active', 'failed'])).map(({ id }) => id ?? ''),
    lose: () => loseQueue(direct, clock),
    close: async () => {
      await clock.close()
      await queue.close()
      direct.disconnect()
    },
  }
})

async function loseQueue(direct: Redis, { place }: BullRetryClock): Promise<void> {
  const keys = await direct.keys(`${place.prefix}*`)
  if (keys.length > 0) await direct.del(...keys)
}

test('a held key stands among the failed jobs, with a name, its story and its stack', async () => {
  const clock = await connect(freshGroup())
  clock.onDue(async () => 'due')
  await clock.schedule(jobOf({ held: true }))
  const queue = look(clock)
  await until(async () => (await queue.getFailedCount()) === 1)
  const [job] = await queue.getFailed()
  expect(job).toMatchObject({
    name: 'OrderPlaced order-17',
    failedReason: 'mail.refused: refused for a***@example.org',
    data: { attempt: 3, head: 7, key: 'order-17', story: { correlationId: 'c1', eventId: 'e1' } },
  })
  expect(job?.stacktrace?.[0]).toContain('at send (smtp.ts:7:1)')
  expect(await clock.health()).toEqual({
    state: 'degraded',
    message: '0 retries planned; 1 keys wait for an operator',
  })
})

test('no address and no secret is in the data of a queue, and the key is found all the same', async () => {
  const clock = await connect(freshGroup())
  const heard: string[] = []
  clock.onDue(async ({ key }) => {
    heard.push(key)
    return 'due'
  })
  await clock.schedule(jobOf({ key: 'anna.berg@example.org', dueMs: Date.now() }))
  await clock.schedule(jobOf({ key: 'anna.berg@example.org', parkNo: 2, held: true }))
  await until(() => heard.length > 0)
  expect(heard[0]).toBe('anna.berg@example.org')
  const queue = look(clock)
  const client = new Redis(redis.url)
  cleanUp.push(async () => client.disconnect())
  const all: unknown[] = []
  for (const key of await client.keys(`${clock.place.prefix}*`))
    all.push((await client.type(key)) === 'hash' ? await client.hgetall(key) : await client.dump(key))
  expect(JSON.stringify(all)).toContain('a***@example.org')
  expect(JSON.stringify(all)).not.toMatch(/anna\.berg|hunter2/)
  expect((await queue.getJobs())[0]?.data.sealedKey).toBeDefined()
})

test('a job that was sealed with another secret fails in words, and nothing is called', async () => {
  const group = freshGroup()
  const clock = await connect(group)
  await clock.schedule(jobOf({ key: 'anna.berg@example.org', dueMs: Date.now() }))
  const other = await connect(group, { secret: 'another secret' })
  let called = 0
  other.onDue(async () => void (called += 1))
  const queue = look(clock)
  await until(async () => (await queue.getFailedCount()) === 1)
  expect((await queue.getFailed())[0]?.failedReason).toContain('was the secret changed?')
  expect(called).toBe(0)
})

test('members of a group share the work: each due retry is said once, by one of them', async () => {
  const group = freshGroup()
  const heard: string[] = []
  for (let member = 0; member < 3; member++) {
    const clock = await connect(group, { asking: {} })
    clock.onDue(async ({ key }) => {
      heard.push(key)
      return 'stale'
    })
    if (member === 0)
      await clock.sweep(
        Array.from({ length: 200 }, (_, at) => jobOf({ key: `k${at}`, dueMs: Date.now() + 300 })),
      )
  }
  await until(() => heard.length >= 200)
  await delay(200)
  expect([heard.length, new Set(heard).size]).toEqual([200, 200])
})

test('what a member had in hand when it died is said by another one', async () => {
  const group = freshGroup()
  const dying = await connect(group, { stalledMs: 300 })
  let gone = false
  dying.onDue(() => {
    gone = true
    return new Promise(() => undefined)
  })
  await dying.schedule(jobOf({ dueMs: Date.now() }))
  await until(() => gone)
  // Its lock is gone with it.
  const client = new Redis(redis.url)
  cleanUp.push(async () => client.disconnect())
  const queue = look(dying)
  const heard: string[] = []
  const next = await connect(group, { stalledMs: 300 })
  next.onDue(async ({ key }, by) => {
    heard.push(`${key} ${by}`)
    return 'stale'
  })
  const stolen = setInterval(() => void client.del(`${queue.toKey(retryId(jobOf()))}:lock`), 100)
  cleanUp.push(async () => clearInterval(stolen))
  await until(() => heard.length > 0)
  // Whoever lost the lock once more may have said it once more.
  expect(new Set(heard)).toEqual(new Set(['order-17 clock']))
})

test('after Redis was killed and is back, due retries are said again', async () => {
  const troubles: unknown[] = []
  const clock = await connect(freshGroup(), {
    timeoutMs: 3_000,
    watchMs: 300,
    onTrouble: (error) => troubles.push(error),
  })
  const heard: string[] = []
  clock.onDue(async ({ key }) => {
    heard.push(key)
    return 'stale'
  })
  await clock.schedule(jobOf({ key: 'before', dueMs: Date.now() }))
  await until(() => heard.includes('before'))
  await redis.kill()
  await expect(clock.schedule(jobOf({ key: 'during' }))).rejects.toMatchObject({ code: 'retry.unavailable' })
  await redis.restart()
  await until(() =>
    clock.schedule(jobOf({ key: 'after', dueMs: Date.now() })).then(
      () => true,
      () => false,
    ),
  )
  await until(() => heard.includes('after'))
  expect(troubles.length).toBeGreaterThan(0)
})

test('a clock whose Redis is away says so in time', async () => {
  await expect(connect(freshGroup(), { redis: { port: 1 }, timeoutMs: 300 })).rejects.toMatchObject({
    code: 'retry.unavailable',
  })
})
