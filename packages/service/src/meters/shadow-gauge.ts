import { shadowChannel, type ShadowNews } from '@millrace/processor'
import { metricNames } from '../metric-names.ts'
import type { Metrics, Reading } from '../metrics.ts'
import { listening } from './subscription.ts'

/** What comparisons with other systems have found last, by group. Answers what ends it. */
export function shadowGauge(metrics: Metrics): () => void {
  const found = new Map<string, readonly Reading[]>()
  metrics.gauge(metricNames.shadowDifferences, () => [...found.values()].flat())
  return listening<ShadowNews>(metrics, shadowChannel, ({ group, fields }) => {
    found.set(
      group,
      [...fields].map(([field, value]) => ({ labels: [group, field], value })),
    )
  })
}
