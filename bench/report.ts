import { median, type Sample } from './measure.ts'

/** What must or should be reached by one contender in comparison to another. */
export type Goal = RatioGoal | CostGoal | RedisGoal | LatencyGoal

/** A ratio of two contenders' rates: at least. */
export interface RatioGoal {
  readonly what: string
  readonly over: readonly [contender: string, other: string]
  readonly must: number
  readonly aim: number
}

/** What one contender costs more than another, in µs of processor time an event: at most. */
export interface CostGoal {
  readonly what: string
  readonly above: readonly [contender: string, other: string]
  readonly must: number
  readonly aim: number
}

/** What Redis costs with one contender ÷ with another, in processor time an event: at most. */
export interface RedisGoal {
  readonly what: string
  readonly redis: readonly [contender: string, other: string]
  readonly must: number
  readonly aim: number
}

/** A percentile of one contender's latencies ÷ another's: at most. */
export interface LatencyGoal {
  readonly what: string
  readonly percentile: 50 | 99
  readonly of: readonly [contender: string, other: string]
  readonly must: number
  readonly aim: number
}

/** What a benchmark found: medians for each contender, and the ratios that matter. */
export interface Report {
  readonly bench: string
  readonly rounds: number
  readonly contenders: readonly {
    readonly name: string
    readonly what: string
    readonly perSecond: number
    readonly nodeMicros: number | null
    readonly redisMicros: number | null
    /** Milliseconds; null where no latencies were measured. */
    readonly p50: number | null
    readonly p99: number | null
  }[]
  readonly goals: readonly (Goal & { readonly reached: number; readonly verdict: Verdict })[]
}

type Verdict = 'aim reached' | 'must reached' | 'missed'

/** Boils samples down to medians; a comparison is the median of each round's comparison, because rounds differ. */
export function report(
  bench: string,
  goals: readonly Goal[],
  samples: ReadonlyMap<string, readonly Sample[]>,
  names: Readonly<Record<string, string>>,
): Report {
  const contenders = [...samples].map(([name, all]) => {
    const each = (micros: 'nodeMicros' | 'redisMicros') => {
      const known = all.map((sample) => costOf(sample, micros)).filter((cost) => !Number.isNaN(cost))
      return known.length === 0 ? null : median(known)
    }
    return {
      name,
      what: names[name] ?? name,
      perSecond: median(all.map(rate)),
      nodeMicros: each('nodeMicros'),
      redisMicros: each('redisMicros'),
      p50: all.some(({ latencies }) => latencies) ? median(all.map((one) => percentile(one, 50))) : null,
      p99: all.some(({ latencies }) => latencies) ? median(all.map((one) => percentile(one, 99))) : null,
    }
  })
  const rounds = Math.min(...[...samples.values()].map((all) => all.length))
  return {
    bench,
    rounds,
    contenders,
    goals: goals.map((goal) => {
      const reached = median(comparisons(goal, samples))
      return { ...goal, reached, verdict: verdictOf(goal, reached) }
    }),
  }
}

/** What a goal compares, in each round. */
function comparisons(goal: Goal, samples: ReadonlyMap<string, readonly Sample[]>): number[] {
  const [one, other] = sidesOf(goal).map((name) => samples.get(name) ?? [])
  return (one ?? []).map((sample, at) => {
    const base = other?.[at]
    return base ? compared(goal, sample, base) : Number.NaN
  })
}

function sidesOf(goal: Goal): readonly [string, string] {
  if ('over' in goal) return goal.over
  if ('above' in goal) return goal.above
  return 'redis' in goal ? goal.redis : goal.of
}

function compared(goal: Goal, sample: Sample, base: Sample): number {
  if ('over' in goal) return rate(sample) / rate(base)
  if ('above' in goal) return costOf(sample, 'nodeMicros') - costOf(base, 'nodeMicros')
  if ('redis' in goal) return costOf(sample, 'redisMicros') / costOf(base, 'redisMicros')
  return percentile(sample, goal.percentile) / percentile(base, goal.percentile)
}

function percentile({ latencies = [] }: Sample, percent: number): number {
  const sorted = latencies.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN
}

function rate({ events, seconds }: Sample): number {
  return events / seconds
}

function costOf(sample: Sample, micros: 'nodeMicros' | 'redisMicros'): number {
  return (sample[micros] ?? Number.NaN) / sample.events
}

function verdictOf(goal: Goal, reached: number): Verdict {
  const within = (limit: number) => ('over' in goal ? reached >= limit : reached <= limit)
  if (within(goal.aim)) return 'aim reached'
  return within(goal.must) ? 'must reached' : 'missed'
}

/** The report as tables for people. */
export function asText({ bench, rounds, contenders, goals }: Report): string {
  const head = ['', 'events/s', 'node µs', 'redis µs']
  const body = contenders.map((one) => [
    one.what,
    String(Math.round(one.perSecond)),
    one.nodeMicros === null ? '–' : one.nodeMicros.toFixed(2),
    one.redisMicros === null ? '–' : one.redisMicros.toFixed(2),
  ])
  const slow = contenders.filter(({ p50 }) => p50 !== null)
  const latencyHead = ['', 'p50 ms', 'p99 ms']
  const latencyBody = slow.map(({ what, p50, p99 }) => [what, (p50 ?? 0).toFixed(2), (p99 ?? 0).toFixed(2)])
  const goalHead = ['', 'reached', 'must', 'aim', '']
  const goalBody = goals.map((goal) => [
    goal.what,
    goal.reached.toFixed(2),
    goal.must.toFixed(2),
    goal.aim.toFixed(2),
    goal.verdict,
  ])
  return [
    `${bench}: medians of ${rounds} rounds, µs of processor time an event`,
    '',
    ...table([head, ...body]),
    ...(slow.length > 0 ? ['', ...table([latencyHead, ...latencyBody])] : []),
    '',
    ...table([goalHead, ...goalBody]),
  ].join('\n')
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  )
}
