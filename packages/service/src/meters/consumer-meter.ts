import { consumerChannel, type ConsumerEvent, repairChannel, type RepairNews } from '@millrace/processor'
import type { MetricName } from '../metric-name.ts'
import { metricNames } from '../metric-names.ts'
import type { Metrics } from '../metrics.ts'
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

class ConsumerMeter {
  readonly counts: CountCache
  readonly #metrics: Metrics
  readonly #breakers: BreakerStates

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
    this.#count(metricNames.commits, event, 'committed')
    this.#seconds(metricNames.commitEvents, batchSizes, event).observe(event.settled)
    if (figures === undefined) return
    for (const { type, outcome, count } of figures.outcomes)
      this.counts.add(metricNames.eventsProcessed, count, topic, group, type ?? otherLabel, outcome)
    const waited = this.#seconds(metricNames.endToEndSeconds, longSeconds, event)
    const longest = Math.max(0, ...figures.waited.map(({ ms }) => ms))
    for (const { ms, count } of figures.waited)
      waited.observe(ms / 1_000, count, ms === longest ? figures.traceparent : undefined)
    const handled = this.#seconds(metricNames.handlingSeconds, shortSeconds, event)
    for (const { ms, count } of figures.handled) handled.observe(ms / 1_000, count)
    this.#seconds(metricNames.commitSeconds, shortSeconds, event).observe(figures.tookMs / 1_000)
    const { hits, misses } = figures.lookups
    this.counts.add(metricNames.stateLookups, hits, topic, group, 'hit')
    this.counts.add(metricNames.stateLookups, misses, topic, group, 'miss')
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
