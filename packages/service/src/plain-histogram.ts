import { isSampled, traceContextOf } from '@millrace/event'
import type { Exemplar, Sample } from './exposition.ts'
import type { SeriesLabels } from './series.ts'

/** A histogram for one set of labels. */
export interface Observed {
  /**
   * Counts a value, in the unit of the metric, so many times. With a `traceparent` (W3C) its trace is kept as the
   * exemplar of the bucket, if it is one that is recorded: nobody finds any other.
   */
  observe(value: number, times?: number, traceparent?: string): void
}

/** A histogram whose buckets are plain numbers until somebody scrapes. */
export class PlainHistogram implements Observed {
  readonly #labels: SeriesLabels
  readonly #bounds: readonly number[]
  readonly #counts: Float64Array
  readonly #exemplars: (Exemplar | undefined)[] = []
  readonly #nowMs: () => number
  #sum = 0

  constructor(labels: SeriesLabels, bounds: readonly number[], nowMs: () => number) {
    this.#labels = labels
    this.#bounds = bounds
    this.#nowMs = nowMs
    this.#counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number, times = 1, traceparent?: string): void {
    this.#sum += value * times
    let at = 0
    // A handful of bounds: a loop beats a search.
    while (at < this.#bounds.length && value > (this.#bounds[at] as number)) at += 1
    this.#counts[at] = (this.#counts[at] as number) + times
    if (!isSampled(traceparent)) return
    const { traceId } = traceContextOf(traceparent) ?? {}
    if (traceId !== undefined) this.#exemplars[at] = { traceId, value, atMs: this.#nowMs() }
  }

  samples(): readonly Sample[] {
    const samples: Sample[] = []
    let below = 0
    for (let at = 0; at < this.#counts.length; at++) {
      below += this.#counts[at] as number
      const labels = { ...this.#labels, le: this.#bounds[at] ?? '+Inf' }
      samples.push({ suffix: '_bucket', labels, value: below, exemplar: this.#exemplars[at] })
    }
    samples.push({ suffix: '_sum', labels: this.#labels, value: this.#sum })
    samples.push({ suffix: '_count', labels: this.#labels, value: below })
    return samples
  }
}
