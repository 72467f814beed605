import { MillraceError, type Topic } from '@millrace/event'
import {
  beginning,
  type ClaimRegister,
  createMemoryLog,
  type EventLog,
  type MemoryLog,
  type Recorded,
} from '@millrace/log'
import { claim, testTopic } from '@millrace/log/contract'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import {
  channels,
  constraints,
  historyOf,
  keys,
  Player,
  type Step,
  values,
} from '../../../test/support/append-history.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { connectLog, type RedisLog } from './redis-log.ts'

const seed = testSeed()
const windowMs = 60_000
const dedupeIds = 12
const start = Date.parse('2026-01-01T00:00:00Z')

let server: TestRedis | undefined
let onRedis: RedisLog | undefined
let now = start
beforeAll(async () => {
  server = await startRedis()
  onRedis = await connectLog({ url: server.url, dedupeWindowMs: windowMs, dedupeIds, now: () => now })
})
afterAll(async () => {
  await onRedis?.close()
  await server?.stop()
})

/** Plays a history on memory and on Redis and compares each answer, and then all that can be read. */
async function playOnBoth(steps: readonly Step[], topic: Topic): Promise<void> {
  now = start
  const memory = createMemoryLog({ clock: { now: () => now }, dedupeWindowMs: windowMs, dedupeIds })
  const redis = onRedis as RedisLog
  const player = new Player(topic, memory)
  for (const step of steps) {
    const play = await playOf(step, player, topic)
    const expected = plain(await play(memory))
    expect(plain(await play(redis))).toEqual(expected)
  }
  expect(await everything(redis, topic)).toEqual(await everything(memory, topic))
}

/** What a step does to a log. Its units and batches are made once, so that both logs get the same. */
async function playOf(
  step: Step,
  player: Player,
  topic: Topic,
): Promise<(log: EventLog) => Promise<unknown>> {
  if (step.do === 'append') {
    const units = await player.units(step.units)
    return (log) => log.append(topic, units)
  }
  if (step.do === 'channel') {
    const batch = await player.batch(step)
    return (log) => log.appendChannel(topic, batch)
  }
  if (step.do === 'fence') {
    const fence = { name: 'f', token: `${step.counter}-${step.nonce}` }
    return (log) => log.fence(topic, 0, fence)
  }
  now += step.ms
  return async () => now
}

/** Errors as what a caller tells them apart by. */
function plain(value: unknown): unknown {
  if (value instanceof MillraceError)
    return { code: value.code, message: value.message, details: value.details }
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]))
}

async function everything(log: (EventLog & ClaimRegister) | MemoryLog, topic: Topic) {
  const partitions = Array.from({ length: topic.partitions }, (_, partition) => partition)
  const byPartition = await Promise.all(partitions.map((partition) => readAll(log, topic, partition)))
  return {
    byPartition,
    byKey: await Promise.all(keys.map((key) => log.readKey(topic, key))),
    byPosition: await Promise.all(byPartition.flat().map(({ position }) => log.readAt(topic, position))),
    tips: await log.tips(topic),
    channels: await Promise.all(channels.map((channel) => log.channel(topic, 0, channel))),
    live: await log.liveVersions(topic),
    owners: await Promise.all(
      constraints.flatMap((constraint) =>
        values.map((value) =>
          log.ownerOf(topic, constraint, claim('claim', value, constraint, ['1', '2']).digests),
        ),
      ),
    ),
  }
}

async function readAll(log: EventLog, topic: Topic, partition: number): Promise<readonly Recorded[]> {
  const all: Recorded[] = []
  for (;;) {
    const cursor = all.at(-1)?.position.id ?? beginning
    const page = (await log.read(topic, new Map([[partition, cursor]]), { limit: 3 })).get(partition)
    if (!page) return all
    all.push(...page)
  }
}

test(`memory and Redis answer every history alike, with claims (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(historyOf(true, windowMs), (steps) => playOnBoth(steps, testTopic({ partitions: 2 }))),
    { seed, numRuns: 150 },
  )
})

test(`memory and Redis answer every history alike, on a topic without claims (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(historyOf(false, windowMs), (steps) =>
      playOnBoth(steps, testTopic({ partitions: 2, spread: true })),
    ),
    { seed, numRuns: 75 },
  )
})
