import { MillraceError, partitionOfKey } from '@millrace/event'
import { type AppendResult, type AppendUnit, createMemoryLog, type EventLog } from '@millrace/log'
import { claim, happened, testTopic, unit } from '@millrace/log/contract'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectLog, type RedisLog } from './redis-log.ts'

const seed = testSeed()
const now = Date.parse('2026-01-01T00:00:00Z')

let server: TestRedis
let redis: Redis
let log: RedisLog
beforeAll(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
  log = await connectLog({ url: server.url, now: () => now })
})
afterAll(async () => {
  redis.disconnect()
  await log.close()
  await server.stop()
})

interface Plan {
  readonly key: number
  readonly value: number
  readonly id: number
  readonly fingerprint: string | undefined
  readonly large: boolean
}

const plan: fc.Arbitrary<Plan> = fc.record({
  key: fc.nat({ max: 40 }),
  value: fc.nat({ max: 40 }),
  id: fc.nat({ max: 60 }),
  fingerprint: fc.option(fc.constantFrom('f1', 'f2'), { nil: undefined }),
  large: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
})

const code = (result: AppendResult | undefined) =>
  result?.status === 'refused'
    ? { code: result.error.code, message: result.error.message, details: result.error.details }
    : result

const placeOf = (result: AppendResult | undefined) =>
  result?.status === 'appended' ? (result.positions[0]?.seq ?? 0) : Infinity

/** What the log said to units that were appended all at once, each by itself. */
async function atOnce(on: EventLog, topic: ReturnType<typeof testTopic>, units: readonly AppendUnit[]) {
  return Promise.all(units.map(async (one) => (await on.append(topic, [one]))[0]))
}

test(`creates that come at once are answered as if they had come one by one (seed ${seed})`, async () => {
  const batches = fc.array(fc.array(plan, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(batches, async (history) => {
      const topic = testTopic({ partitions: 3 })
      const memory = createMemoryLog({ clock: { now: () => now } })
      // The first claim of a topic settles which versions of the keyring are live.
      const first = unit(topic, 'first', { claims: [claim('claim', 'first')] })
      for (const on of [log, memory]) await on.append(topic, [first])
      for (const plans of history) {
        const units = plans.map(({ key, value, id, fingerprint, large }): AppendUnit => ({
          events: [happened(topic, `k${key}`, large ? 'x'.repeat(9_000) : {}, `e${id}`)],
          expectedVersion: 0,
          claims: [claim('claim', `v${value}`)],
          ...(fingerprint === undefined ? {} : { fingerprint }),
        }))
        const results = await atOnce(log, topic, units)
        // In the order of the log; those that were refused come after all.
        const order = units
          .map((_, at) => at)
          .toSorted((a, b) => placeOf(results[a]) - placeOf(results[b]) || a - b)
        for (const at of order) {
          const [expected] = await memory.append(topic, [units[at] as AppendUnit])
          expect(code(results[at])).toEqual(code(expected))
        }
      }
      const numbers = Array.from({ length: 41 }, (_, at) => at)
      const [found, held] = await Promise.all(
        [log, memory].map((on) =>
          Promise.all(
            numbers.map(async (n) => [
              await on.readKey(topic, `k${n}`),
              await on.ownerOf(topic, 'email', claim('claim', `v${n}`).digests),
            ]),
          ),
        ),
      )
      expect(found).toEqual(held)
      expect(await log.tips(topic)).toEqual(await memory.tips(topic))
    }),
    { seed, numRuns: 40 },
  )
})

const callsOf = async () => {
  const stats = await redis.info('commandstats')
  return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce(
    (sum, [, calls]) => sum + Number(calls),
    0,
  )
}

test('creates of all partitions that come at once are few calls, and what is left over is another', async () => {
  const topic = testTopic({ partitions: 4 })
  const create = (key: string, value = key) =>
    unit(topic, key, { expectedVersion: 0, claims: [claim('claim', value)] })
  await atOnce(log, topic, [create('first')])
  await atOnce(log, topic, [create('second')])
  const keys = Array.from({ length: 20 }, (_, at) => `key-${at}`)
  expect(new Set(keys.map((key) => partitionOfKey(topic, key))).size).toBe(4)
  await redis.config('RESETSTAT')
  const results = await atOnce(
    log,
    topic,
    keys.map((key) => create(key)),
  )
  expect(results.map((result) => result?.status)).toEqual(keys.map(() => 'appended'))
  // Sixteen, and the other four.
  expect(await callsOf()).toBe(2)
  const [again, taken, fresh] = await atOnce(log, topic, [create('key-3'), create('a', 'first'), create('b')])
  expect([again, taken].map((result) => (result?.status === 'refused' ? result.error.code : result))).toEqual(
    ['append.version', 'append.claimed'],
  )
  expect(fresh).toMatchObject({ status: 'appended', version: 1 })
  expect(await callsOf()).toBe(4)
})

test('units of one append keep their order: a value that the first frees is there for the second', async () => {
  const topic = testTopic({ partitions: 1 })
  await log.append(topic, [unit(topic, 'a', { expectedVersion: 0, claims: [claim('claim', 'anna')] })])
  const results = await log.append(topic, [
    unit(topic, 'a', { claims: [claim('release', null)] }),
    unit(topic, 'b', { expectedVersion: 0, claims: [claim('claim', 'anna')] }),
  ])
  expect(results.map(({ status }) => status)).toEqual(['appended', 'appended'])
})

test('what the server refuses, it refuses in the words of the append script', async () => {
  const topic = testTopic({ partitions: 1 })
  const create = (key: string) => unit(topic, key, { expectedVersion: 0, claims: [claim('claim', key)] })
  await log.append(topic, [create('first')])
  await redis.config('SET', 'maxmemory', '1')
  const refused = await log.append(topic, [create('a')]).catch((error: unknown) => error)
  await redis.config('SET', 'maxmemory', '0')
  expect(refused).toBeInstanceOf(MillraceError)
  expect(refused).toMatchObject({ code: 'log.unavailable', message: expect.stringContaining('OOM') })
  expect(await log.append(topic, [create('a')])).toMatchObject([{ status: 'appended' }])
})
