import { connectGroupStore, connectLog, whenReady, writingConnection } from '@millrace/redis'
import { Metrics } from '@millrace/service'
import { ProcessMeters } from '@millrace/service/meters'
import { startRedis } from '../test/support/redis.ts'
import { type Contender, interleaved, type Work } from './measure.ts'
import { fillLog, processAll } from './process-member.ts'
import { type Goal, type Report, report } from './report.ts'
import { makeReadings, stateful } from './sums.ts'

const events = 100_000
const keys = 1_000

const goals: readonly Goal[] = [
  { what: 'processing with metrics ÷ without', over: ['metrics', 'off'], must: 0.95, aim: 0.98 },
  {
    what: 'producer and member at once, with metrics ÷ without',
    over: ['whole-metrics', 'whole-off'],
    must: 0.95,
    aim: 0.98,
  },
  { what: 'metrics, µs an event', above: ['metrics', 'off'], must: 0.5, aim: 0.2 },
]

/** What telemetry costs: the same work with nobody listening, and with all meters and a scrape. */
export async function benchTelemetry(rounds: number, progress: (line: string) => void): Promise<Report> {
  const server = await startRedis({ appendonly: true, extra: ['auto-aof-rewrite-percentage 0'] })
  const redis = writingConnection({ url: server.url, commandTimeoutMs: 60_000 })
  const log = await connectLog({ url: server.url })
  const store = await connectGroupStore({ url: server.url })
  try {
    await whenReady(redis)
    const made = makeReadings(events, keys)
    const member = { log, store }
    const fill = () => fillLog(log, made)
    const alone = () => processAll(stateful, member, { events })
    const whole = () => processAll(stateful, member, { events, meanwhile: fill })
    const metered = async (work: () => Promise<Work>) => {
      const metrics = new Metrics()
      const meters = new ProcessMeters({
        metrics,
        health: { report: async () => ({ state: 'ok', dependencies: {} }) },
        version: 'bench',
        groups: async () => ({ store, log }),
      })
      const done = await work()
      await metrics.exposition()
      meters.end()
      return done
    }
    const contenders: readonly Contender[] = [
      { name: 'off', prepare: fill, run: alone },
      { name: 'metrics', prepare: fill, run: () => metered(alone) },
      { name: 'whole-off', run: whole },
      { name: 'whole-metrics', run: () => metered(whole) },
    ]
    return report('telemetry', goals, await interleaved(contenders, rounds, redis, progress), {
      off: 'a plain handler with a state a key, exactly once; nobody listens',
      metrics: 'the same with all meters, and a scrape at the end',
      'whole-off': 'a producer and a member at once in one process; nobody listens',
      'whole-metrics': 'the same with all meters, and a scrape at the end',
    })
  } finally {
    redis.disconnect()
    await log.close()
    await store.close()
    await server.stop()
  }
}
