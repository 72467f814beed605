import { encodeEvent, type Event } from '@millrace/event'
import { connectGroupStore, connectLog, whenReady, writingConnection } from '@millrace/redis'
import { startRedis } from '../test/support/redis.ts'
import { type Contender, interleaved } from './measure.ts'
import { throughBullmq } from './process-bullmq.ts'
import { bareLatency, statefulLatency, steadyRate } from './process-latency.ts'
import { appended, arrived, fillLog, processAll } from './process-member.ts'
import { fillStream, naiveBatch, naiveLoop } from './process-naive.ts'
import { redisBenchmark } from './redis-benchmark.ts'
import { type Goal, type Report, report } from './report.ts'
import { emitting, emittingPipeline, makeReadings, pipeline, readings, results, stateful } from './sums.ts'

const events = 200_000
const keys = 1_000
/** Jobs of BullMQ, which takes ten times as long for each. */
const jobs = 5_000
const manyKeys = 100_000
const mostKeys = 1_000_000

const goals: readonly Goal[] = [
  { what: 'stateful, exactly once ÷ the naive loop', over: ['stateful', 'naive'], must: 1, aim: 1.5 },
  { what: 'with one emitted event each ÷ the naive loop', over: ['emitting', 'naive'], must: 0.8, aim: 1.2 },
  {
    what: 'the same as a pipeline ÷ the naive loop',
    over: ['emitting pipeline', 'naive'],
    must: 0.8,
    aim: 1.2,
  },
  { what: 'a pipeline above a plain handler (µs)', above: ['pipeline', 'stateful'], must: 1.5, aim: 0.7 },
  { what: 'the same where both emit (µs)', above: ['emitting pipeline', 'emitting'], must: 1.5, aim: 0.7 },
  { what: 'producer and member at once ÷ BullMQ', over: ['whole', 'bullmq'], must: 8, aim: 15 },
  { what: 'as many keys as events ÷ a thousand keys', over: ['many', 'few'], must: 0.7, aim: 0.9 },
  {
    what: 'Redis, stateful ÷ XADD of redis-benchmark -P 16',
    redis: ['stateful', 'benchmark'],
    must: 1,
    aim: 0.6,
  },
  {
    what: 'p50 at a steady rate ÷ the bare loop',
    percentile: 50,
    of: ['timed', 'bare'],
    must: 1.5,
    aim: 1.1,
  },
  {
    what: 'p99 at a steady rate ÷ the bare loop',
    percentile: 99,
    of: ['timed', 'bare'],
    must: 1.5,
    aim: 1.1,
  },
]

/** How fast one member works, beside what one would use without it; with an append-only file synced every second. */
export async function benchProcess(
  rounds: number,
  progress: (line: string) => void,
  large: boolean,
): Promise<Report> {
  const server = await startRedis({ appendonly: true, extra: ['auto-aof-rewrite-percentage 0'] })
  const redis = writingConnection({ url: server.url, commandTimeoutMs: 60_000 })
  const reader = writingConnection({ url: server.url, commandTimeoutMs: 60_000 })
  const log = await connectLog({ url: server.url })
  const store = await connectGroupStore({ url: server.url })
  try {
    await Promise.all([whenReady(redis), whenReady(reader)])
    const [sample] = makeReadings(1, 1)
    const member = { log, store, emitsTo: [results] }
    const fill = () => fillLog(log, makeReadings(events, keys))
    const spread = large ? mostKeys : manyKeys
    const emits = { events, atEnd: () => arrived(log, events) }
    const contenders: readonly Contender[] = [
      {
        name: 'naive',
        prepare: () => fillStream(redis, makeReadings(events, keys)),
        run: () => naiveLoop(redis, events),
      },
      { name: 'stateful', prepare: fill, run: () => processAll(stateful, member, { events }) },
      { name: 'pipeline', prepare: fill, run: () => processAll(pipeline, member, { events }) },
      { name: 'emitting', prepare: fill, run: () => processAll(emitting, member, emits) },
      { name: 'emitting pipeline', prepare: fill, run: () => processAll(emittingPipeline, member, emits) },
      { name: 'benchmark', run: () => benchmark(server.port, sample), outside: true },
      { name: 'whole', run: () => processAll(stateful, member, { events, meanwhile: fill }) },
      { name: 'bullmq', run: () => throughBullmq(server.port, jobs) },
      {
        name: 'few',
        prepare: () => fillLog(log, makeReadings(spread, keys)),
        run: () => processAll(stateful, member, { events: spread }),
      },
      {
        name: 'many',
        prepare: () => fillLog(log, makeReadings(spread, spread)),
        run: () => processAll(stateful, member, { events: spread }),
      },
      { name: 'bare', run: () => bareLatency(redis, reader) },
      { name: 'timed', run: () => statefulLatency(log, member) },
    ]
    return report('process', goals, await interleaved(contenders, rounds, redis, progress), {
      naive: `XREADGROUP + JSON.parse + XACK, ${naiveBatch} a batch, one event an entry, at least once, no state`,
      stateful: `a plain handler with a state a key, exactly once, in order, fenced; ${appended} events an entry`,
      pipeline: 'the same as a pipeline',
      emitting: 'the plain handler with one emitted event each, which is on its topic when the time is taken',
      'emitting pipeline': 'the same as a pipeline',
      benchmark: 'redis-benchmark XADD -P 16, 50 connections',
      whole: 'stateful, a producer, which makes its events, and a member at once in one process',
      bullmq: `BullMQ, addBulk and a worker of concurrency 200 at once in one process; ${jobs} jobs`,
      few: `stateful, ${spread} events of ${keys} keys`,
      many: `stateful, ${spread} events of as many keys`,
      bare: `XREADGROUP BLOCK + JSON.parse + XACK at ${steadyRate} events a second`,
      timed: `stateful at ${steadyRate} events a second`,
    })
  } finally {
    redis.disconnect()
    reader.disconnect()
    await log.close()
    await store.close()
    await server.stop()
  }
}

async function benchmark(port: number, sample: Event | undefined) {
  if (!sample) throw new Error('There is no event')
  const requests = 3 * events
  const command = ['XADD', 'bench', '*', 'e', encodeEvent(readings, sample)]
  const perSecond = await redisBenchmark(port, { requests, pipeline: 16 }, command)
  return { events: requests, seconds: requests / perSecond }
}
