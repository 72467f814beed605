import { asksForOpenMetrics, type Exposition, expose, type Family, type Sample } from './exposition.ts'
import type { MetricName } from './metric-name.ts'
import { metricNames } from './metric-names.ts'
import { type Observed, PlainHistogram } from './plain-histogram.ts'
import { processMetrics } from './process-metrics.ts'
import { LimitedSeries, type SeriesLabels } from './series.ts'

/** A counter that is a plain variable. */
export interface Count {
  value: number
}

/** A value with its labels, in the order of the metric's, read at a scrape. */
export interface Reading {
  readonly labels?: readonly string[]
  readonly value: number
}

/** What a gauge says at a scrape. */
export type Readings = number | readonly Reading[]

/** Options of {@link Metrics}. */
export interface MetricsOptions {
  /** CPU, memory, event loop and garbage collection of this process. Default false: once a process is enough. */
  readonly processMetrics?: boolean
  /** Metrics that are described in each scrape, also while they have no series. Default: none. */
  readonly declared?: readonly MetricName[]
  /** Most series of a counter or gauge; label sets beyond are counted as `other`. Default 2,000. */
  readonly mostSeries?: number
  /** Most series of a histogram, which has some fifteen lines each. Default 300. */
  readonly mostHistograms?: number
  /** How long a scrape waits for a gauge, in ms. Default 2,000. */
  readonly readTimeoutMs?: number
  readonly nowMs?: () => number
}

interface LabelledCount extends Count {
  readonly labels: SeriesLabels
}

type Collect = () => Promise<Family>

/**
 * The metrics of a process. Counting is adding to a plain variable; they are published when somebody scrapes
 * (a counter of OpenTelemetry costs two microseconds, a variable nothing).
 */
export class Metrics {
  readonly #options: Required<MetricsOptions>
  readonly #collects = new Map<string, Collect>()
  readonly #counts = new Map<string, LimitedSeries<LabelledCount>>()
  readonly #histograms = new Map<string, LimitedSeries<PlainHistogram>>()
  readonly #process: () => Promise<readonly Family[]>

  constructor(options: MetricsOptions = {}) {
    this.#options = {
      processMetrics: false,
      declared: [],
      mostSeries: 2_000,
      mostHistograms: 300,
      readTimeoutMs: 2_000,
      nowMs: () => Date.now(),
      ...options,
    }
    this.#process = this.#options.processMetrics ? processMetrics('millrace_') : async () => []
  }

  /** The counter for these label values, in the order of the metric's labels. Keep it; add to its `value`. */
  count(metric: MetricName, ...values: string[]): Count {
    let counts = this.#counts.get(metric.name)
    if (counts === undefined) {
      counts = this.#limited(metric, this.#options.mostSeries, (labels) => ({ labels, value: 0 }))
      this.#counts.set(metric.name, counts)
      this.#publish(metric, counts, (one) => [one])
    }
    return counts.of(values)
  }

  /** The histogram for these label values. Keep it; call its `observe`. The first call decides about the buckets. */
  histogram(metric: MetricName, buckets: readonly number[], ...values: string[]): Observed {
    let histograms = this.#histograms.get(metric.name)
    if (histograms === undefined) {
      const { mostHistograms, nowMs } = this.#options
      histograms = this.#limited(
        metric,
        mostHistograms,
        (labels) => new PlainHistogram(labels, buckets, nowMs),
      )
      this.#histograms.set(metric.name, histograms)
      this.#publish(metric, histograms, (one) => one.samples())
    }
    return histograms.of(values)
  }

  /**
   * A gauge that is read at each scrape; replaces an earlier one of that name. One that fails or does not answer in
   * time is missing from the scrape, and counted.
   */
  gauge(metric: MetricName, read: () => Readings | Promise<Readings>): void {
    this.#collects.set(metric.name, async () => {
      const found = await this.#read(metric, read)
      const readings = typeof found === 'number' ? [{ value: found }] : found
      const series = this.#limited(metric, this.#options.mostSeries, (labels) => ({ labels, value: 0 }))
      for (const { labels = [], value } of readings) series.of(labels).value += value
      return familyOf(metric, series.all())
    })
  }

  /** All metrics, in the format that a scrape's `Accept` header asks for. Default: the text format of Prometheus. */
  async exposition(accept?: string): Promise<Exposition> {
    for (const metric of this.#options.declared)
      if (!this.#collects.has(metric.name)) this.#collects.set(metric.name, async () => familyOf(metric, []))
    const [families, ofProcess] = await Promise.all([
      Promise.all([...this.#collects.values()].map((collect) => collect())),
      this.#process(),
    ])
    return expose([...families, ...ofProcess], asksForOpenMetrics(accept))
  }

  /** All metrics in the text format of Prometheus. */
  async text(): Promise<string> {
    return (await this.exposition()).text
  }

  #publish<One>(
    metric: MetricName,
    series: LimitedSeries<One>,
    samples: (one: One) => readonly Sample[],
  ): void {
    this.#collects.set(metric.name, async () => familyOf(metric, series.all().flatMap(samples)))
  }

  #limited<One>(metric: MetricName, most: number, make: (labels: SeriesLabels) => One): LimitedSeries<One> {
    return new LimitedSeries(metric, {
      // That one has a series for each metric at most.
      most: metric.name === metricNames.seriesFolded.name ? Number.POSITIVE_INFINITY : most,
      make,
      folded: () => (this.count(metricNames.seriesFolded, metric.name).value += 1),
    })
  }

  async #read(metric: MetricName, read: () => Readings | Promise<Readings>): Promise<Readings> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error('Too late')), this.#options.readTimeoutMs)
    try {
      return await Promise.race([read(), late])
    } catch {
      // What a reading asks has a health check of its own, which says why; the scrape only counts.
      this.count(metricNames.readingsFailed, metric.name).value += 1
      return []
    } finally {
      clearTimeout(timer)
    }
  }
}

function familyOf({ name, help, kind }: MetricName, samples: readonly Sample[]): Family {
  return { name, help, kind, samples }
}
