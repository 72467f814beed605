import { median, type Sample } from './measure.ts'

/** What must or should be reached by one contender in comparison to another. */
export type Goal = RatioGoal | CostGoal

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
  const [one, other] = ('over' in goal ? goal.over : goal.above).map((name) => samples.get(name) ?? [])
  return (one ?? []).map((sample, at) => {
    const base = other?.[at]
    if (!base) return Number.NaN
    return 'over' in goal
      ? rate(sample) / rate(base)
      : costOf(sample, 'nodeMicros') - costOf(base, 'nodeMicros')
  })
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
