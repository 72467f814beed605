import { encodeEvent, type Event, newEvent, topic, type Topic } from '@millrace/event'
import { emit, evolve, type Processor, processor, run, type RunOptions, state } from '@millrace/processor'
import { connectGroupStore, connectLog, type RedisLog, whenReady, writingConnection } from '@millrace/redis'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { startRedis } from '../test/support/redis.ts'
import { type Contender, interleaved, type Work } from './measure.ts'
import { type Goal, type Report, report } from './report.ts'

const events = 50_000
const keys = 1_000
const batch = 500
/** Events that a producer appends at once. */
const appended = 100

const goals: readonly Goal[] = [
  { what: 'stateful, exactly once ÷ the naive loop', over: ['stateful', 'naive'], must: 1, aim: 1.5 },
  { what: 'with one emitted event each ÷ the naive loop', over: ['emitting', 'naive'], must: 0.8, aim: 1.2 },
  { what: 'a pipeline above a plain handler (µs)', above: ['pipeline', 'stateful'], must: 1.5, aim: 0.7 },
]

const readings = topic('readings', {
  types: { Read: z.object({ n: z.int(), note: z.string() }) },
  partitions: 1,
})
const results = topic('results', {
  types: { Summed: z.object({ n: z.int(), note: z.string() }) },
  partitions: 1,
})
interface Sum {
  readonly count: number
  readonly sum: number
}
const sum = state({ initial: (): Sum => ({ count: 0, sum: 0 }) })

const stateful = processor('stateful', readings, {
  state: sum,
  handle: ({ data }, context) => {
    const before = context.state
    context.evolve({ count: before.count + 1, sum: before.sum + data.n })
  },
})

const pipeline = processor('pipeline', readings, {
  state: sum,
  pipeline: (lane) =>
    lane.pipe(evolve((before, { data }) => ({ count: before.count + 1, sum: before.sum + data.n }))),
})

const emitting = processor('emitting', readings, {
  state: sum,
  pipeline: (lane) =>
    lane.pipe(
      evolve((before, { data }) => ({ count: before.count + 1, sum: before.sum + data.n })),
      emit(results, ({ event: { data } }) => ({ type: 'Summed', data })),
    ),
})

/** How fast a backlog is worked off by one member, with an append-only file synced every second. */
export async function benchProcess(rounds: number, progress: (line: string) => void): Promise<Report> {
  const server = await startRedis({ appendonly: true, extra: ['auto-aof-rewrite-percentage 0'] })
  const redis = writingConnection({ url: server.url, commandTimeoutMs: 60_000 })
  const log = await connectLog({ url: server.url })
  const store = await connectGroupStore({ url: server.url })
  try {
    await whenReady(redis)
    const made = makeEvents(readings)
    const fill = () => fillLog(log, made)
    const member = { log, store, emitsTo: [results] }
    const contenders: readonly Contender[] = [
      { name: 'naive', prepare: () => fillStream(redis, made), run: () => naiveLoop(redis) },
      { name: 'stateful', prepare: fill, run: () => processAll(stateful, member) },
      { name: 'pipeline', prepare: fill, run: () => processAll(pipeline, member) },
      {
        name: 'emitting',
        prepare: fill,
        run: () => processAll(emitting, member, () => forwarded(log)),
      },
    ]
    return report('process', goals, await interleaved(contenders, rounds, redis, progress), {
      naive: `XREADGROUP + JSON.parse + XACK, ${batch} a batch, one event an entry, at least once, no state`,
      stateful: `a plain handler with a state a key, exactly once, in order, fenced; ${appended} events an entry`,
      pipeline: 'the same as a pipeline',
      emitting: 'the same, with one emitted event each, which is on its topic when the time is taken',
    })
  } finally {
    redis.disconnect()
    await log.close()
    await store.close()
    await server.stop()
  }
}

function makeEvents(topic: Topic): readonly Event[] {
  return Array.from({ length: events }, (_, n) =>
    newEvent(topic, { type: 'Read', key: `key-${n % keys}`, data: { n, note: 'x' } }),
  )
}

async function fillLog(log: RedisLog, made: readonly Event[]): Promise<void> {
  for (let from = 0; from < made.length; from += appended) {
    const units = made.slice(from, from + appended).map((event) => ({ events: [event] }))
    await log.append(readings, units)
  }
}

async function fillStream(redis: Redis, made: readonly Event[]): Promise<void> {
  for (let from = 0; from < made.length; from += 1_000) {
    const pipeline = redis.pipeline()
    for (const event of made.slice(from, from + 1_000))
      pipeline.xadd('bench', '*', 'e', encodeEvent(readings, event))
    await pipeline.exec()
  }
  await redis.xgroup('CREATE', 'bench', 'naive', '0')
}

/** The loop that one would have written. */
async function naiveLoop(redis: Redis): Promise<Work> {
  const start = performance.now()
  let done = 0
  let sums = 0
  while (done < events) {
    const reply = (await redis.xreadgroup(
      ...(['GROUP', 'naive', 'one', 'COUNT', batch, 'STREAMS', 'bench', '>'] as const),
    )) as [string, [string, string[]][]][]
    const entries = reply[0]?.[1] ?? []
    for (const [, fields] of entries) sums += (JSON.parse(fields[1] ?? '') as { data: { n: number } }).data.n
    await redis.xack('bench', 'naive', ...entries.map(([id]) => id))
    done += entries.length
  }
  if (sums !== (events * (events - 1)) / 2) throw new Error('The naive loop has lost something')
  return { events: done, seconds: (performance.now() - start) / 1_000 }
}

async function processAll<S>(
  what: Processor<typeof readings, S>,
  options: RunOptions,
  atEnd?: () => Promise<void>,
): Promise<Work> {
  const start = performance.now()
  const { promise, resolve } = Promise.withResolvers<void>()
  const running = await run(what, {
    ...options,
    observe: (event) => {
      if (event.kind === 'progress' && event.position.seq >= events) resolve()
      if (event.kind === 'trouble') console.error(event)
    },
  })
  await promise
  await atEnd?.()
  const seconds = (performance.now() - start) / 1_000
  await running.stop()
  return { events, seconds }
}

/** Resolves when everything that was emitted is on its topic. */
async function forwarded(log: RedisLog): Promise<void> {
  while ((await log.tips(results))[0]?.seq !== events) await new Promise((resolve) => setTimeout(resolve, 1))
}
