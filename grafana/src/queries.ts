import type { MetricName } from '../../packages/service/src/metric-name.ts'

/** Labels that a query may group or choose by: those of the metric, and those that a scrape adds. */
type LabelOf<M extends MetricName> = M['labels'][number] | 'job' | 'instance'

/** Conditions on labels, each an operator with its value: {@link is}, {@link isNot}, {@link matches}. */
type Where<M extends MetricName> = { readonly [L in LabelOf<M>]?: Condition }
type Condition = `${'=' | '!=' | '=~' | '!~'}"${string}"`

export const is = (value: string): Condition => `="${value}"`
export const isNot = (value: string): Condition => `!="${value}"`
export const matches = (pattern: string): Condition => `=~"${pattern}"`

/** Where queries stand: which scrapes they choose, and over which time they count. */
interface Place {
  readonly selector: readonly string[]
  readonly interval: string
}

/** Writes PromQL. Names and labels are checked against the list of metrics by the compiler. */
export class Queries {
  readonly #place: Place

  constructor(place: Place) {
    this.#place = place
  }

  /** A series as it is. */
  series<const M extends MetricName>(metric: M, where: Where<M> = {}): string {
    return this.#selected(metric.name, where)
  }

  /** Times a second, summed by labels. */
  rate<const M extends MetricName>(metric: M, by: readonly LabelOf<M>[], where: Where<M> = {}): string {
    return `${sumBy(by)} (rate(${this.#selected(metric.name, where)}[${this.#place.interval}]))`
  }

  /** How often within a time, summed by labels. */
  increase<const M extends MetricName>(
    metric: M,
    within: string,
    by: readonly LabelOf<M>[],
    where: Where<M> = {},
  ): string {
    return `${sumBy(by)} (increase(${this.#selected(metric.name, where)}[${within}]))`
  }

  /** A quantile of a histogram. */
  quantile<const M extends MetricName & { readonly kind: 'histogram' }>(
    q: number,
    metric: M,
    by: readonly LabelOf<M>[],
    where: Where<M> = {},
  ): string {
    const buckets = this.#selected(`${metric.name}_bucket`, where)
    return `histogram_quantile(${q}, ${sumBy(['le', ...by])} (rate(${buckets}[${this.#place.interval}])))`
  }

  /** Mean of what a histogram observed. */
  mean<const M extends MetricName & { readonly kind: 'histogram' }>(
    metric: M,
    by: readonly LabelOf<M>[],
  ): string {
    const part = (end: string) =>
      `${sumBy(by)} (rate(${this.#selected(`${metric.name}_${end}`, {})}[${this.#place.interval}]))`
    return `${part('sum')} / ${part('count')}`
  }

  /** Share of observations of a histogram within one of its bounds, over a time. */
  shareWithin<const M extends MetricName & { readonly kind: 'histogram' }>(
    metric: M,
    bound: string,
    within: string,
    by: readonly LabelOf<M>[],
  ): string {
    const good = this.#selected(`${metric.name}_bucket`, {}, [`le="${bound}"`])
    const all = this.#selected(`${metric.name}_count`, {})
    return `${sumBy(by)} (rate(${good}[${within}])) / ${sumBy(by)} (rate(${all}[${within}]))`
  }

  /**
   * A gauge of something that all processes see alike, as the lag of a group: once for each of its label sets,
   * however many processes tell of it, then summed by labels.
   */
  shared<const M extends MetricName>(metric: M, by: readonly LabelOf<M>[], where: Where<M> = {}): string {
    const once = `max by (${metric.labels.join(', ')}) (${this.#selected(metric.name, where)})`
    return `${sumBy(by)} (${once})`
  }

  /** The largest value of a gauge by labels. */
  highest<const M extends MetricName>(metric: M, by: readonly LabelOf<M>[], where: Where<M> = {}): string {
    return `max${grouping(by)} (${this.#selected(metric.name, where)})`
  }

  /** The smallest value of a gauge by labels. */
  lowest<const M extends MetricName>(metric: M, by: readonly LabelOf<M>[], where: Where<M> = {}): string {
    return `min${grouping(by)} (${this.#selected(metric.name, where)})`
  }

  /** What each process tells of itself, summed by labels. */
  sum<const M extends MetricName>(metric: M, by: readonly LabelOf<M>[], where: Where<M> = {}): string {
    return `${sumBy(by)} (${this.#selected(metric.name, where)})`
  }

  /** A metric of the process that prom-client names. */
  ofProcess(name: `millrace_${'process' | 'nodejs'}_${string}`): string {
    return this.#selected(name, {})
  }

  #selected(
    name: string,
    where: { readonly [label: string]: string | undefined },
    more: readonly string[] = [],
  ): string {
    const conditions = Object.entries(where).map(([label, condition]) => `${label}${condition}`)
    const all = [...this.#place.selector, ...conditions, ...more]
    return all.length === 0 ? name : `${name}{${all.join(',')}}`
  }
}

const grouping = (by: readonly string[]) => (by.length === 0 ? '' : ` by (${by.join(', ')})`)
const sumBy = (by: readonly string[]) => `sum${grouping(by)}`

/** Queries of dashboards: of the jobs and instances that are chosen there. */
export const onDashboards = new Queries({
  selector: ['job=~"$job"', 'instance=~"$instance"'],
  interval: '$__rate_interval',
})

/** Queries of alerts: of everything that is scraped. */
export const inAlerts = new Queries({ selector: [], interval: '5m' })
