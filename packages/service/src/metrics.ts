import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { MetricName } from './metric-name.ts'
import { PlainHistogram, type Observed } from './plain-histogram.ts'

/** A counter that is a plain variable. */
export interface Count {
  value: number
}

/** A value with its labels, read at a scrape. */
export interface Reading {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** Options of {@link Metrics}. */
export interface MetricsOptions {
  /** CPU, memory, event loop and garbage collection of this process. Default false: once a process is enough. */
  readonly processMetrics?: boolean
}

/**
 * The metrics of a process. Counting is adding to a plain variable; they are published when somebody scrapes
 * (a counter of OpenTelemetry costs two microseconds, a variable nothing).
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #counts = new Map<
    string,
    Map<string, Count & { readonly labels: Readonly<Record<string, string>> }>
  >()
  readonly #histograms = new Map<string, PlainHistogram>()

  constructor(options: MetricsOptions = {}) {
    if (options.processMetrics === true)
      collectDefaultMetrics({ register: this.#registry, prefix: 'millrace_' })
  }

  /** The counter for these label values, in the order of the metric's labels. Keep it; add to its `value`. */
  count(metric: MetricName, ...values: string[]): Count {
    const counts = this.#counts.get(metric.name) ?? this.#publishCounts(metric)
    const key = values.join('\u0000')
    const known = counts.get(key)
    if (known) return known
    const fresh = { value: 0, labels: labelled(metric, values) }
    counts.set(key, fresh)
    return fresh
  }

  /** The histogram for these label values. Keep it; call its `observe`. */
  histogram(metric: MetricName, bucketsInSeconds: readonly number[], ...values: string[]): Observed {
    let histogram = this.#histograms.get(metric.name)
    if (!histogram) {
      histogram = new PlainHistogram(metric, bucketsInSeconds)
      this.#histograms.set(metric.name, histogram)
      this.#registry.registerMetric(histogram)
    }
    return histogram.of(labelled(metric, values))
  }

  /** A gauge that is read at each scrape. Replaces an earlier one of that name. */
  gauge(
    metric: MetricName,
    read: () => number | readonly Reading[] | Promise<number | readonly Reading[]>,
  ): void {
    this.#registry.removeSingleMetric(metric.name)
    const gauge = new Gauge({
      name: metric.name,
      help: metric.help,
      labelNames: [...metric.labels],
      registers: [],
      async collect() {
        const found = await read()
        gauge.reset()
        for (const { labels, value } of typeof found === 'number'
          ? [{ labels: undefined, value: found }]
          : found)
          gauge.set(labels ?? {}, value)
      },
    })
    this.#registry.registerMetric(gauge)
  }

  /** Media type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** All metrics in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  #publishCounts(
    metric: MetricName,
  ): Map<string, Count & { readonly labels: Readonly<Record<string, string>> }> {
    const counts = new Map<string, Count & { readonly labels: Readonly<Record<string, string>> }>()
    this.#counts.set(metric.name, counts)
    const counter = new Counter({
      name: metric.name,
      help: metric.help,
      labelNames: [...metric.labels],
      registers: [],
      collect() {
        counter.reset()
        for (const { labels, value } of counts.values()) counter.inc(labels, value)
      },
    })
    this.#registry.registerMetric(counter)
    return counts
  }
}

function labelled(metric: MetricName, values: readonly string[]): Record<string, string> {
  if (values.length !== metric.labels.length)
    throw new TypeError(
      `${metric.name} has the labels ${metric.labels.join(', ') || '(none)'}, not ${values.length} values`,
    )
  return Object.fromEntries(metric.labels.map((label, at) => [label, values[at] ?? '']))
}
