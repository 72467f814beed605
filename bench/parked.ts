import { type Event, MillraceError } from '@millrace/event'
import { processor, run, type RunOptions, state } from '@millrace/processor'
import { connectGroupStore, connectLog, type RedisLog, whenReady, writingConnection } from '@millrace/redis'
import { startRedis } from '../test/support/redis.ts'
import { type Contender, interleaved } from './measure.ts'
import { latencyOf, steadyRate } from './process-latency.ts'
import { fillLog, processAll } from './process-member.ts'
import { type Goal, type Report, report } from './report.ts'
import { makeReadings, readings } from './sums.ts'

const keys = 1_000
const events = 100_000
/** One key in so many fails. */
const every = 100

/** What becomes of the keys that fail. */
type Fate = 'open' | 'held' | 'retrying'

const goals: readonly Goal[] = [
  { what: '1 % of keys held ÷ none', over: ['held', 'open'], must: 0.9, aim: 0.98 },
  { what: '1 % of keys retrying ÷ none', over: ['retrying', 'open'], must: 0.9, aim: 0.98 },
  { what: 'held, above none (µs)', above: ['held', 'open'], must: 1.5, aim: 0.3 },
  { what: 'retrying, above none (µs)', above: ['retrying', 'open'], must: 1.5, aim: 0.3 },
  ...([50, 99] as const).flatMap((percentile) =>
    (['held', 'retrying'] as const).map((fate) => ({
      what: `p${percentile} of other keys, 1 % ${fate} ÷ none`,
      percentile,
      of: [`${fate}, timed`, 'open, timed'] as const,
      must: 1.5,
      aim: 1.1,
    })),
  ),
]

/** What others pay for keys that are parked: held for an operator, or failing again and again. */
export async function benchParked(rounds: number, progress: (line: string) => void): Promise<Report> {
  const server = await startRedis({ appendonly: true, extra: ['auto-aof-rewrite-percentage 0'] })
  const redis = writingConnection({ url: server.url, commandTimeoutMs: 60_000 })
  const log = await connectLog({ url: server.url })
  const store = await connectGroupStore({ url: server.url })
  try {
    await whenReady(redis)
    const heads = Array.from(makeReadings(keys, keys))
    const member = { log, store }
    const fates: readonly Fate[] = ['open', 'held', 'retrying']
    const contenders: readonly Contender[] = [
      ...fates.map((fate) => ({
        name: fate,
        prepare: async () => {
          await parkedBefore(fate, member, log, heads)
          await fillLog(log, makeReadings(events, keys))
        },
        run: async () => ({
          ...(await processAll(failing(fate), member, { events: keys + events })),
          events,
        }),
      })),
      ...fates.map((fate) => ({
        name: `${fate}, timed`,
        prepare: () => parkedBefore(fate, member, log, heads),
        run: () =>
          latencyOf(
            (arrived) => failing(fate, arrived),
            log,
            member,
            (n) => !fails(n),
          ),
      })),
    ]
    return report('parked', goals, await interleaved(contenders, rounds, redis, progress), {
      open: `a plain handler with a state a key, ${events} events of ${keys} keys`,
      held: '1 % of the keys wait for an operator, and their events line up',
      retrying: '1 % of the keys fail again whenever they are due, and their events line up',
      'open, timed': `other keys at ${steadyRate} events a second, none parked`,
      'held, timed': 'the same, 1 % held',
      'retrying, timed': 'the same, 1 % retrying',
    })
  } finally {
    redis.disconnect()
    await log.close()
    await store.close()
    await server.stop()
  }
}

/** One event of each key is handled, or has failed and parks its key; then the member leaves. */
async function parkedBefore(
  fate: Fate,
  member: RunOptions,
  log: RedisLog,
  heads: readonly Event[],
): Promise<void> {
  await fillLog(log, heads)
  const wanted = fate === 'open' ? 0 : keys / every
  const parked = new Set<string>()
  const { promise, resolve } = Promise.withResolvers<void>()
  const running = await run(failing(fate), {
    ...member,
    observe: (event) => {
      if (event.kind === 'parked') parked.add(event.key)
      if (event.kind === 'progress' && event.position.seq >= keys && parked.size >= wanted) resolve()
    },
  })
  await promise
  await running.stop()
}

/** Counts and adds up, but for the keys that fail. */
function failing(fate: Fate, arrived: (n: number) => void = () => undefined) {
  return processor('failing', readings, {
    state: state({ initial: () => ({ count: 0, sum: 0 }) }),
    handle: ({ data }, context) => {
      if (fails(data.n)) {
        // Poison is held without an attempt; the other is tried again.
        if (fate === 'held') throw new MillraceError('event.invalid', 'It can never be handled')
        if (fate === 'retrying') throw new Error('It cannot be handled now')
      } else arrived(data.n)
      const { count, sum } = context.state
      context.evolve({ count: count + 1, sum: sum + data.n })
    },
  })
}

function fails(n: number): boolean {
  return (n % keys) % every === 0
}
