import { consumerChannel, type ConsumerEvent, repairChannel, type RepairNews } from '@millrace/processor'
import type { MetricName } from '../metric-name.ts'
import { metricNames } from '../metric-names.ts'
import type { Count, Metrics } from '../metrics.ts'
import type { Observed } from '../plain-histogram.ts'
import { otherLabel } from '../series.ts'
import type { BreakerStates } from './breaker-states.ts'
import { batchSizes, longSeconds, shortSeconds } from './buckets.ts'
import { CountCache } from './count-cache.ts'
import { listening, reasonOf } from './subscription.ts'

type Progress = Extract<ConsumerEvent, { readonly kind: 'progress' }>

/** Counts what the consumers of this process tell of themselves, and repairs. Answers what ends it. */
export function consumerMeter(metrics: Metrics, breakers: BreakerStates): () => void {
  const meter = new ConsumerMeter(metrics, breakers)
  const ends = [
    listening<ConsumerEvent>(metrics, consumerChannel, (event) => meter.hear(event)),
    listening<RepairNews>(metrics, repairChannel, ({ topic, group, kind, on }) =>
      meter.counts.add(metricNames.repairs, 1, topic, group, kind, on),
    ),
  ]
  return () => {
    for (const end of ends) end()
  }
}

interface CommitSeries {
  readonly committed: Count
  readonly hits: Count
  readonly misses: Count
  readonly commitEvents: Observed
  readonly commitSeconds: Observed
  readonly waited: Observed
  readonly handled: Observed
}

class ConsumerMeter {
  readonly counts: CountCache
  readonly #metrics: Metrics
  readonly #breakers: BreakerStates
  readonly #series = new Map<string, CommitSeries>()

  constructor(metrics: Metrics, breakers: BreakerStates) {
    this.#metrics = metrics
    this.#breakers = breakers
    this.counts = new CountCache(metrics)
  }

  hear(event: ConsumerEvent): void {
    switch (event.kind) {
      case 'progress':
        return this.#progress(event)
      case 'fenced':
        return this.#count(metricNames.commits, event, 'fenced')
      case 'retry':
        return this.#count(metricNames.retries, event, reasonOf(event.error))
      case 'dead':
        return this.#count(metricNames.deadLetters, event, event.letter.reason)
      case 'parked': {
        const waitsFor = event.dueMs === undefined ? 'operator' : 'retry'
        return this.#count(metricNames.parkings, event, waitsFor, reasonOf(event.error))
      }
      case 'trouble':
        return this.#count(metricNames.troubles, event, reasonOf(event.error))
      case 'stalled':
        return this.#count(metricNames.stalls, event)
      case 'leased':
        return this.#count(metricNames.leasesTaken, event)
      case 'ended':
        return this.#count(metricNames.leasesEnded, event, event.reason)
      case 'assigned':
        return this.#count(metricNames.rebalances, event)
      case 'handed-over':
        return this.#seconds(metricNames.handoverSeconds, longSeconds, event).observe(event.tookMs / 1_000)
      case 'effects-confirmed':
        for (const name of event.names) this.#effect(event, name, 'confirmed')
        return
      case 'effect-retry':
        return this.#effect(event, event.name, 'retried')
      case 'effect-dead':
        return this.#effect(event, event.name, 'dead')
      case 'effect-breaker':
        this.#breakers.set(event.group, event.name, event.state)
        return this.counts.add(metricNames.breakerChanges, 1, event.group, event.name, event.state)
      // No numbers, or read at the scrape.
      case 'start-ignored':
      case 'ignored':
      case 'late':
      case 'effects-full':
      case 'effects-flowing':
      case 'paused':
      case 'resumed':
      case 'member-live':
      case 'member-silent':
      case 'member-left':
      case 'handing-over':
        return
    }
  }

  #progress(event: Progress): void {
    const { figures, topic, group } = event
    const series = this.#seriesOf(event)
    series.committed.value += 1
    series.commitEvents.observe(event.settled)
    if (figures === undefined) return
    for (const { type, outcome, count } of figures.outcomes)
      this.counts.add(metricNames.eventsProcessed, count, topic, group, type ?? otherLabel, outcome)
    const { example } = figures
    for (const { ms, count } of figures.waited)
      series.waited.observe(ms / 1_000, count, ms === example?.waitedMs ? example.traceparent : undefined)
    for (const { ms, count } of figures.handled) series.handled.observe(ms / 1_000, count)
    series.commitSeconds.observe(figures.tookMs / 1_000)
    series.hits.value += figures.lookups.hits
    series.misses.value += figures.lookups.misses
  }

  /** What each commit of a group adds to, looked up once. */
  #seriesOf(event: Progress): CommitSeries {
    const { topic, group } = event
    const key = `${topic} ${group}`
    const known = this.#series.get(key)
    if (known !== undefined) return known
    const fresh: CommitSeries = {
      committed: this.#metrics.count(metricNames.commits, topic, group, 'committed'),
      hits: this.#metrics.count(metricNames.stateLookups, topic, group, 'hit'),
      misses: this.#metrics.count(metricNames.stateLookups, topic, group, 'miss'),
      commitEvents: this.#seconds(metricNames.commitEvents, batchSizes, event),
      commitSeconds: this.#seconds(metricNames.commitSeconds, shortSeconds, event),
      waited: this.#seconds(metricNames.endToEndSeconds, longSeconds, event),
      handled: this.#seconds(metricNames.handlingSeconds, shortSeconds, event),
    }
    this.#series.set(key, fresh)
    return fresh
  }

  #effect(event: ConsumerEvent, name: string, outcome: string): void {
    this.#breakers.known(event.group, name)
    this.#count(metricNames.effects, event, name, outcome)
  }

  #count(metric: MetricName, { topic, group }: ConsumerEvent, ...more: string[]): void {
    this.counts.add(metric, 1, topic, group, ...more)
  }

  #seconds(metric: MetricName, buckets: readonly number[], { topic, group }: ConsumerEvent) {
    return this.#metrics.histogram(metric, buckets, topic, group)
  }
}
