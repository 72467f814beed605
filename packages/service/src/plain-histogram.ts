import { Histogram } from 'prom-client'
import type { MetricName } from './metric-name.ts'

/** A histogram for one set of labels. */
export interface Observed {
  /** Counts one value, in the unit of the metric. */
  observe(value: number): void
}

interface Series extends Observed {
  readonly labels: Readonly<Record<string, string>>
  readonly counts: Float64Array
  readonly total: () => { readonly sum: number; readonly count: number }
}

/** A prom-client histogram whose buckets are plain arrays until somebody scrapes. */
export class PlainHistogram extends Histogram {
  readonly #series = new Map<string, Series>()
  readonly #metric: MetricName
  readonly #bounds: readonly number[]

  constructor(metric: MetricName, bounds: readonly number[]) {
    super({
      name: metric.name,
      help: metric.help,
      labelNames: [...metric.labels],
      buckets: [...bounds],
      registers: [],
    })
    this.#metric = metric
    this.#bounds = bounds
  }

  /** The series with these labels. */
  of(labels: Readonly<Record<string, string>>): Observed {
    const key = Object.values(labels).join('\u0000')
    const known = this.#series.get(key)
    if (known) return known
    const fresh = series(labels, this.#bounds)
    this.#series.set(key, fresh)
    return fresh
  }

  /** What prom-client asks a histogram for at a scrape; it is not in its types. */
  getForPromString() {
    const { name, help } = this.#metric
    return Promise.resolve({ name, help, type: 'histogram', aggregator: 'sum', values: this.#values() })
  }

  #values(): Value[] {
    const { name } = this.#metric
    const values: Value[] = []
    for (const { labels, counts, total } of this.#series.values()) {
      let below = 0
      this.#bounds.forEach((le, at) => {
        below += counts[at] ?? 0
        values.push({ labels: { ...labels, le }, value: below, metricName: `${name}_bucket` })
      })
      const { sum, count } = total()
      values.push({ labels: { ...labels, le: '+Inf' }, value: count, metricName: `${name}_bucket` })
      values.push({ labels, value: sum, metricName: `${name}_sum` })
      values.push({ labels, value: count, metricName: `${name}_count` })
    }
    return values
  }
}

interface Value {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName: string
}

function series(labels: Readonly<Record<string, string>>, bounds: readonly number[]): Series {
  const counts = new Float64Array(bounds.length)
  let sum = 0
  let count = 0
  return {
    labels,
    counts,
    total: () => ({ sum, count }),
    observe: (value) => {
      sum += value
      count += 1
      // A handful of bounds: a loop beats a search.
      for (let at = 0; at < bounds.length; at++)
        if (value <= (bounds[at] ?? Infinity)) {
          counts[at] = (counts[at] ?? 0) + 1
          return
        }
    },
  }
}
