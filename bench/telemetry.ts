import { continueTrace, type Event, keepScopes } from '@millrace/event'
import {
  connectGroupStore,
  connectLog,
  type RedisGroupStore,
  type RedisLog,
  whenReady,
  writingConnection,
} from '@millrace/redis'
import { Metrics } from '@millrace/service'
import { ProcessMeters } from '@millrace/service/meters'
import { startTracing, type Tracing } from '@millrace/telemetry'
import { startRedis } from '../test/support/redis.ts'
import { type Contender, interleaved, type Work } from './measure.ts'
import { fillLog, processAll } from './process-member.ts'
import { type Goal, type Report, report } from './report.ts'
import { makeReadings, stateful } from './sums.ts'
import { startTraceCollector } from './trace-collector.ts'

const events = 100_000
const keys = 1_000

const goals: readonly Goal[] = [
  { what: 'processing with metrics ÷ without', over: ['metrics', 'off'], must: 0.95, aim: 0.98 },
  { what: 'processing with traces at 1 % ÷ without', over: ['traces-1', 'scopes'], must: 0.95, aim: 0.98 },
  {
    what: 'producer and member at once, with metrics ÷ without',
    over: ['whole-metrics', 'whole-off'],
    must: 0.95,
    aim: 0.98,
  },
  {
    what: 'producer and member at once, with traces at 1 % ÷ with metrics',
    over: ['whole-traces-1', 'whole-metrics'],
    must: 0.95,
    aim: 0.98,
  },
  { what: 'metrics, µs an event', above: ['metrics', 'off'], must: 0.5, aim: 0.2 },
  {
    what: 'ids of the event in each log line, µs an event',
    above: ['scopes', 'metrics'],
    must: 0.5,
    aim: 0.2,
  },
  { what: 'traces at 1 %, µs an event', above: ['traces-1', 'scopes'], must: 0.5, aim: 0.2 },
]

/** What is on beside the work. */
type Telemetry = 'off' | 'metrics' | 'scopes' | 'traces'

/**
 * What telemetry costs: the same work with nobody listening; with all meters and a scrape; with the ids of each event
 * for what its handler logs; and with traces, of one event in a hundred or of all, sent to a collector.
 */
export async function benchTelemetry(rounds: number, progress: (line: string) => void): Promise<Report> {
  const server = await startRedis({ appendonly: true, extra: ['auto-aof-rewrite-percentage 0'] })
  const redis = writingConnection({ url: server.url, commandTimeoutMs: 60_000 })
  const log = await connectLog({ url: server.url })
  const store = await connectGroupStore({ url: server.url })
  const collector = await startTraceCollector()
  try {
    await whenReady(redis)
    const made = {
      off: () => readingsWith(() => false),
      some: () => readingsWith((n) => n % 100 === 0),
      all: () => readingsWith(() => true),
    }
    const member = { log, store }
    const watched = async (what: Telemetry, work: () => Promise<Work>) => {
      const metrics = new Metrics()
      const meters = what === 'off' ? undefined : metersOf(metrics, member)
      const letScopesGo = what === 'scopes' || what === 'traces' ? keepScopes() : undefined
      // Nothing is to be dropped: what is not made costs nothing.
      const tracing = what === 'traces' ? await tracingTo(collector.url) : undefined
      const done = await work()
      if (meters) await metrics.exposition()
      meters?.end()
      letScopesGo?.()
      await tracing?.stop()
      return done
    }
    const alone = (name: string, what: Telemetry, of: () => Iterable<Event>): Contender => ({
      name,
      prepare: () => fillLog(log, of()),
      run: () => watched(what, () => processAll(stateful, member, { events })),
    })
    const whole = (name: string, what: Telemetry, of: () => Iterable<Event>): Contender => ({
      name,
      run: () =>
        watched(what, () => processAll(stateful, member, { events, meanwhile: () => fillLog(log, of()) })),
    })
    const contenders: readonly Contender[] = [
      alone('off', 'off', made.off),
      alone('metrics', 'metrics', made.off),
      alone('scopes', 'scopes', made.off),
      alone('traces-1', 'traces', made.some),
      alone('traces-all', 'traces', made.all),
      whole('whole-off', 'off', made.off),
      whole('whole-metrics', 'metrics', made.off),
      whole('whole-traces-1', 'traces', made.some),
      whole('whole-traces-all', 'traces', made.all),
    ]
    return report('telemetry', goals, await interleaved(contenders, rounds, redis, progress), {
      off: 'a plain handler with a state a key, exactly once; nobody listens',
      metrics: 'the same with all meters, and a scrape at the end',
      scopes: 'the same, and each handler runs in the scope of its event, for log lines and calls',
      'traces-1': 'the same, and one event in a hundred is of a recorded trace; spans go to a collector',
      'traces-all': 'the same, and all of them are',
      'whole-off': 'a producer and a member at once in one process; nobody listens',
      'whole-metrics': 'the same with all meters, and a scrape at the end',
      'whole-traces-1': 'the same with scopes, and traces of one event in a hundred: append, attempt, commit',
      'whole-traces-all': 'the same with traces of all',
    })
  } finally {
    collector.stop()
    redis.disconnect()
    await log.close()
    await store.close()
    await server.stop()
  }
}

function readingsWith(sampled: (n: number) => boolean): Iterable<Event> {
  return makeReadings(events, keys, (n) => continueTrace(undefined, () => sampled(n)))
}

function metersOf(
  metrics: Metrics,
  { log, store }: { log: RedisLog; store: RedisGroupStore },
): ProcessMeters {
  return new ProcessMeters({
    metrics,
    health: { report: async () => ({ state: 'ok', dependencies: {} }) },
    version: 'bench',
    groups: async () => ({ store, log }),
  })
}

function tracingTo(endpoint: string): Promise<Tracing> {
  const names = { service: 'bench', version: '0', instance: 'bench' }
  return startTracing({ endpoint, ...names, mostWaiting: 4 * events, stopMs: 60_000 })
}
