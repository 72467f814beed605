import { appendNewsChannel, type AppendNews, type AppendResult, type AppendUnit } from '@millrace/log'
import { metricNames } from '../metric-names.ts'
import type { Metrics } from '../metrics.ts'
import { shortSeconds } from './buckets.ts'
import { CountCache } from './count-cache.ts'
import { listening, reasonOf } from './subscription.ts'

/** Counts what is appended, and claims that are won and lost. Answers what ends it. */
export function appendMeter(metrics: Metrics): () => void {
  const counts = new CountCache(metrics)
  return listening<AppendNews>(metrics, appendNewsChannel, (news) => {
    const { topic, tookMs } = news
    const seconds = metrics.histogram(metricNames.appendSeconds, shortSeconds, topic)
    if (news.kind === 'units') {
      const { units, results } = news
      const traceparent = units[0]?.unit.events[0]?.traceparent
      seconds.observe(tookMs / 1_000, Math.max(1, units.length), traceparent)
      for (const [at, { unit }] of units.entries())
        countUnit(counts, topic, unit, results instanceof Error ? results : results[at])
    } else {
      const { events, result } = news
      seconds.observe(tookMs / 1_000, 1, events[0]?.traceparent)
      if (result instanceof Error || result.status === 'refused') {
        counts.add(metricNames.appends, 1, topic, reasonOf(result instanceof Error ? result : result.error))
        return
      }
      const { taken } = result
      counts.add(metricNames.appends, 1, topic, taken > 0 ? 'appended' : 'duplicate')
      // The last ones of the batch were new.
      for (const { type } of taken > 0 ? events.slice(-taken) : [])
        counts.add(metricNames.eventsAppended, 1, topic, type)
    }
  })
}

function countUnit(
  counts: CountCache,
  topic: string,
  unit: AppendUnit,
  result: AppendResult | Error | undefined,
): void {
  const error = result instanceof Error ? result : result?.status === 'refused' ? result.error : undefined
  const status = result === undefined || result instanceof Error ? undefined : result.status
  const outcome = error === undefined ? (status ?? 'unexpected') : reasonOf(error)
  counts.add(metricNames.appends, 1, topic, outcome)
  if (status === 'appended')
    for (const { type } of unit.events) counts.add(metricNames.eventsAppended, 1, topic, type)
  for (const { constraint, action } of unit.claims ?? []) {
    const lost = outcome === 'append.claimed' && lostBy(error) === constraint
    const how = status === 'appended' ? 'won' : lost ? 'lost' : 'void'
    counts.add(metricNames.claims, 1, topic, constraint, action, how)
  }
}

function lostBy(error: Error | undefined): unknown {
  const details = error !== undefined && 'details' in error ? error.details : undefined
  return typeof details === 'object' && details !== null && 'constraint' in details
    ? details.constraint
    : undefined
}
