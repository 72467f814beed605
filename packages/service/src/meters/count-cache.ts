import type { MetricName } from '../metric-name.ts'
import type { Count, Metrics } from '../metrics.ts'

/** Adds to counters by their labels; the last one of each metric is at hand, because news come in rows. */
export class CountCache {
  readonly #metrics: Metrics
  readonly #last = new Map<string, { readonly values: readonly string[]; readonly count: Count }>()

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  add(metric: MetricName, more: number, ...values: string[]): void {
    const last = this.#last.get(metric.name)
    if (last !== undefined && same(last.values, values)) {
      last.count.value += more
      return
    }
    const count = this.#metrics.count(metric, ...values)
    this.#last.set(metric.name, { values, count })
    count.value += more
  }
}

function same(a: readonly string[], b: readonly string[]): boolean {
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}
