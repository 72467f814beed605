import { median, type Sample } from './measure.ts'

/** A ratio of two contenders' rates that must or should be reached. */
export interface Goal {
  readonly what: string
  readonly over: readonly [contender: string, other: string]
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
    readonly redisMicros: number
  }[]
  readonly goals: readonly (Goal & { readonly reached: number; readonly verdict: Verdict })[]
}

type Verdict = 'aim reached' | 'must reached' | 'missed'

/** Boils samples down to medians; a ratio is the median of each round's ratio, because rounds differ. */
export function report(
  bench: string,
  goals: readonly Goal[],
  samples: ReadonlyMap<string, readonly Sample[]>,
  names: Readonly<Record<string, string>>,
): Report {
  const contenders = [...samples].map(([name, all]) => {
    const node = all.flatMap(({ nodeMicros, events }) =>
      nodeMicros === undefined ? [] : nodeMicros / events,
    )
    return {
      name,
      what: names[name] ?? name,
      perSecond: median(all.map(rate)),
      nodeMicros: node.length === 0 ? null : median(node),
      redisMicros: median(all.map((sample) => sample.redisMicros / sample.events)),
    }
  })
  const rounds = Math.min(...[...samples.values()].map((all) => all.length))
  return {
    bench,
    rounds,
    contenders,
    goals: goals.map((goal) => {
      const [one, other] = goal.over.map((name) => samples.get(name) ?? [])
      const ratios = (one ?? []).map((sample, at) => {
        const base = other?.[at]
        return base ? rate(sample) / rate(base) : Number.NaN
      })
      const reached = median(ratios)
      return { ...goal, reached, verdict: verdictOf(goal, reached) }
    }),
  }
}

function rate({ events, seconds }: Sample): number {
  return events / seconds
}

function verdictOf(goal: Goal, reached: number): Verdict {
  if (reached >= goal.aim) return 'aim reached'
  return reached >= goal.must ? 'must reached' : 'missed'
}

/** The report as tables for people. */
export function asText({ bench, rounds, contenders, goals }: Report): string {
  const head = ['', 'events/s', 'node µs', 'redis µs']
  const body = contenders.map((one) => [
    one.what,
    String(Math.round(one.perSecond)),
    one.nodeMicros === null ? '–' : one.nodeMicros.toFixed(2),
    one.redisMicros.toFixed(2),
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
