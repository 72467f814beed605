import {
  appendNewsChannel,
  type AppendNews,
  type AppendResult,
  type AppendUnit,
  type ClaimChange,
} from '@millrace/log'
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
      countUnits(counts, topic, units, results)
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

// Runs of units that differ in nothing are counted at once: an append is a matter of microseconds.
function countUnits(
  counts: CountCache,
  topic: string,
  units: readonly { readonly unit: AppendUnit }[],
  results: readonly AppendResult[] | Error,
): void {
  let [run, type, appended] = [0, '', 0]
  const flush = () => {
    if (run > 0) counts.add(metricNames.appends, run, topic, 'appended')
    if (appended > 0) counts.add(metricNames.eventsAppended, appended, topic, type)
    run = 0
    appended = 0
  }
  for (let at = 0; at < units.length; at++) {
    const { unit } = units[at] as { readonly unit: AppendUnit }
    const result = results instanceof Error ? results : results[at]
    if (unit.claims !== undefined && unit.claims.length > 0) countClaims(counts, topic, unit.claims, result)
    if (result === undefined || result instanceof Error || result.status !== 'appended') {
      counts.add(metricNames.appends, 1, topic, outcomeOf(result))
      continue
    }
    run += 1
    for (const event of unit.events) {
      if (event.type !== type) flush()
      type = event.type
      appended += 1
    }
  }
  flush()
}

function outcomeOf(result: AppendResult | Error | undefined): string {
  if (result === undefined || result instanceof Error) return reasonOf(result)
  return result.status === 'refused' ? reasonOf(result.error) : result.status
}

function countClaims(
  counts: CountCache,
  topic: string,
  claims: readonly ClaimChange[],
  result: AppendResult | Error | undefined,
): void {
  const status = result === undefined || result instanceof Error ? undefined : result.status
  const error =
    result === undefined || result instanceof Error || result.status !== 'refused' ? undefined : result.error
  for (const { constraint, action } of claims) {
    const lost = error?.code === 'append.claimed' && lostBy(error) === constraint
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
