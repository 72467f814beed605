import { collectDefaultMetrics, type MetricObject, Registry } from 'prom-client'
import type { Family } from './exposition.ts'

// They end in `_total` and are no counters: promtool refuses them. Their parts by type are left.
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

/** CPU, memory, garbage collection and the delay of the event loop of this process, as prom-client measures them. */
export function processMetrics(prefix: string): () => Promise<readonly Family[]> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix })
  for (const name of misnamed) registry.removeSingleMetric(`${prefix}${name}`)
  return async () => (await registry.getMetricsAsJSON()).map(familyOf)
}

function familyOf(metric: MetricObject & { readonly values?: readonly Value[] }): Family {
  const { name, help, values = [] } = metric
  return {
    name,
    help,
    kind: kinds[String(metric.type)] ?? 'gauge',
    samples: values.map(({ labels, value, metricName }) => ({
      suffix: metricName === undefined ? '' : metricName.slice(name.length),
      labels: defined(labels),
      value,
    })),
  }
}

interface Value {
  readonly labels: Readonly<Record<string, string | number | undefined>>
  readonly value: number
  readonly metricName?: string
}

const kinds: Readonly<Record<string, Family['kind']>> = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  summary: 'summary',
}

function defined(labels: Value['labels']): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
