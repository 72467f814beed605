/** A trace that an observed value was part of. */
export interface Exemplar {
  readonly traceId: string
  /** The value, in the unit of the metric. */
  readonly value: number
  /** When, in ms since the epoch. */
  readonly atMs: number
}

/** One line of an exposition. */
export interface Sample {
  /** What stands behind the name of the metric: `_bucket`, `_sum`, `_count`, or nothing. */
  readonly suffix?: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly exemplar?: Exemplar | undefined
}

/** A metric with its samples. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly samples: readonly Sample[]
}

/** What a scrape is answered with. */
export interface Exposition {
  readonly contentType: string
  readonly text: string
}

const openMetricsType = 'application/openmetrics-text'

/** Whether an `Accept` header asks for OpenMetrics rather than for Prometheus's own format. */
export function asksForOpenMetrics(accept: string | undefined): boolean {
  const qualities = (accept ?? '').split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((one) => one.trim().toLowerCase())
    const quality = parameters.find((one) => one.startsWith('q='))
    return { type, q: quality === undefined ? 1 : Number(quality.slice(2)) }
  })
  const of = (wanted: string) =>
    Math.max(0, ...qualities.filter(({ type }) => type === wanted).map(({ q }) => q))
  return of(openMetricsType) > 0 && of(openMetricsType) >= of('text/plain')
}

/**
 * Writes metrics down. OpenMetrics names counters without `_total` in their description, has exemplars (the other
 * format takes none), and ends with a mark.
 *
 * @see https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
 * @see https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function expose(families: readonly Family[], openMetrics: boolean): Exposition {
  const parts = families.map((family) => textOf(family, openMetrics))
  return openMetrics
    ? { contentType: `${openMetricsType}; version=1.0.0; charset=utf-8`, text: `${parts.join('')}# EOF\n` }
    : { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: parts.join('\n') }
}

function textOf({ name, help, kind, samples }: Family, openMetrics: boolean): string {
  const described = openMetrics && kind === 'counter' ? name.replace(/_total$/, '') : name
  let text = `# HELP ${described} ${help}\n# TYPE ${described} ${kind}\n`
  for (const { suffix = '', labels, value, exemplar } of samples) {
    text += `${name}${suffix}${labelsOf(labels)} ${numberOf(value)}`
    if (openMetrics && exemplar !== undefined)
      text += ` # {trace_id="${escaped(exemplar.traceId)}"} ${numberOf(exemplar.value)} ${exemplar.atMs / 1_000}`
    text += '\n'
  }
  return text
}

function labelsOf(labels: Readonly<Record<string, string | number>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

function numberOf(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return String(value)
  return value > 0 ? '+Inf' : '-Inf'
}
