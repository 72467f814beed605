import { encodeEvent, type Event, newEvent, type Topic, topic } from '@millrace/event'
import type { AppendUnit, EventLog } from '@millrace/log'
import { connectLog, whenReady, writingConnection } from '@millrace/redis'
import { z } from 'zod'
import { startRedis } from '../test/support/redis.ts'
import { type Goal, type Report, report } from './report.ts'
import { type Contender, interleaved } from './measure.ts'
import { redisBenchmark } from './redis-benchmark.ts'

const events = 50_000
const keys = 1_000
const batch = 100
const inFlight = 4

const goals: readonly Goal[] = [
  { what: 'append by channel ÷ redis-benchmark', over: ['channel', 'benchmark'], must: 0.35, aim: 0.6 },
  { what: 'full append ÷ redis-benchmark', over: ['full', 'benchmark'], must: 0.25, aim: 0.4 },
  { what: 'append by channel ÷ 512 single XADDs in flight', over: ['channel', 'single'], must: 1.5, aim: 3 },
]

/** How fast events get onto the log, with an append-only file synced every second. */
export async function benchAppend(rounds: number, progress: (line: string) => void): Promise<Report> {
  const server = await startRedis({ appendonly: true, extra: ['auto-aof-rewrite-percentage 0'] })
  const log = await connectLog({ url: server.url })
  const redis = writingConnection({ url: server.url, commandTimeoutMs: 60_000 })
  try {
    await whenReady(redis)
    const things = topic('things', {
      types: { Happened: z.object({ n: z.int(), note: z.string() }) },
      partitions: 1,
    })
    const made = makeEvents(things)
    const units = made.map((event, n) => ({ events: [event], expectedVersion: Math.floor(n / keys) }))
    const sample = encodeEvent(things, made[0] as Event)
    const benchmark = async () => {
      const requests = 3 * events
      const perSecond = await redisBenchmark(server.port, { requests, pipeline: 16 }, [
        'XADD',
        'bench',
        '*',
        'e',
        sample,
      ])
      return { events: requests, seconds: requests / perSecond }
    }
    const contenders: readonly Contender[] = [
      { name: 'benchmark', run: benchmark, outside: true },
      { name: 'channel', run: () => timed(() => byChannel(log, things, made)) },
      { name: 'full', run: () => timed(() => inFull(log, things, units)) },
      {
        name: 'single',
        run: () =>
          timed(() =>
            workers(512, events, async (at) => {
              await redis.xadd('bench', '*', 'e', encodeEvent(things, made[at] as Event))
            }),
          ),
      },
    ]
    return report('append', goals, await interleaved(contenders, rounds, redis, progress), {
      benchmark: 'redis-benchmark XADD -P 16, 50 connections',
      channel: `log.appendChannel, batches of ${batch}, ${inFlight} in flight`,
      full: `log.append, id dedupe + expected version + key index, calls of ${batch} units, ${inFlight} in flight`,
      single: 'single XADDs by ioredis, 512 in flight',
    })
  } finally {
    redis.disconnect()
    await log.close()
    await server.stop()
  }
}

// Made before anything is measured, and used in every round: the server is emptied in between.
function makeEvents(topic: Topic): readonly Event[] {
  return Array.from({ length: events }, (_, n) =>
    newEvent(topic, { type: 'Happened', key: `key-${n % keys}`, data: { n, note: 'x' } }),
  )
}

async function byChannel(log: EventLog, topic: Topic, made: readonly Event[]): Promise<void> {
  await workers(inFlight, made.length / batch, async (at) => {
    const from = at * batch
    const result = await log.appendChannel(topic, {
      partition: 0,
      channel: 'bench',
      incarnation: 1,
      first: from + 1,
      events: made.slice(from, from + batch),
    })
    if (result.status !== 'appended' || result.taken !== batch) throw new Error(JSON.stringify(result))
  })
}

async function inFull(log: EventLog, topic: Topic, units: readonly AppendUnit[]): Promise<void> {
  await workers(inFlight, units.length / batch, async (at) => {
    const results = await log.append(topic, units.slice(at * batch, (at + 1) * batch))
    const wrong = results.find((result) => result.status !== 'appended')
    if (wrong) throw new Error(JSON.stringify(wrong))
  })
}

/** Does `act` for 0 … count − 1, so many at a time, begun in order. */
async function workers(atOnce: number, count: number, act: (at: number) => Promise<void>): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let at = next++; at < count; at = next++) await act(at)
    }),
  )
}

async function timed(act: () => Promise<void>): Promise<{ events: number; seconds: number }> {
  const start = performance.now()
  await act()
  return { events, seconds: (performance.now() - start) / 1_000 }
}
