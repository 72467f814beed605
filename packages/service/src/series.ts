import type { MetricName } from './metric-name.ts'

/** The labels of one series. */
export type SeriesLabels = Readonly<Record<string, string>>

/** What each label of the series says that takes what is beyond the limit. */
export const otherLabel = 'other'

/** What a limited set of series is made with. */
export interface SeriesOptions<One> {
  /** Most of them; everything beyond is one series more, with {@link otherLabel} in each label. */
  readonly most: number
  readonly make: (labels: SeriesLabels) => One
  /** Called each time that somebody asks for a series beyond the limit. */
  readonly folded: () => void
}

/** The series of one metric, by the values of its labels: a client who could make up labels cannot fill the memory. */
export class LimitedSeries<One> {
  readonly #metric: MetricName
  readonly #options: SeriesOptions<One>
  readonly #series = new Map<string, One>()
  #other: One | undefined

  constructor(metric: MetricName, options: SeriesOptions<One>) {
    this.#metric = metric
    this.#options = options
  }

  of(values: readonly string[]): One {
    const { most, make, folded } = this.#options
    const key = values.join('\u0000')
    const known = this.#series.get(key)
    if (known !== undefined) return known
    const labels = labelled(this.#metric, values)
    if (this.#series.size < most) {
      const fresh = make(labels)
      this.#series.set(key, fresh)
      return fresh
    }
    folded()
    return (this.#other ??= make(
      labelled(
        this.#metric,
        values.map(() => otherLabel),
      ),
    ))
  }

  all(): readonly One[] {
    return this.#other === undefined ? [...this.#series.values()] : [...this.#series.values(), this.#other]
  }
}

function labelled(metric: MetricName, values: readonly string[]): SeriesLabels {
  if (values.length !== metric.labels.length)
    throw new TypeError(
      `${metric.name} has the labels ${metric.labels.join(', ') || '(none)'}, not ${values.length} values`,
    )
  return Object.fromEntries(metric.labels.map((label, at) => [label, values[at] ?? '']))
}
