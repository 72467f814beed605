/** How a metric is to be read. A counter starts at 0 with its process, a gauge is read at each scrape. */
export type MetricKind = 'counter' | 'gauge' | 'histogram'

/** A metric as it is published. Base units; counters end in `_total`; never an event id, key or address as a label. */
export interface MetricName {
  readonly kind: MetricKind
  readonly name: `millrace_${string}`
  readonly help: string
  readonly labels: readonly string[]
}

/** A metric with its name and labels in the type. */
export type Named<Kind extends MetricKind, Name extends string, Labels extends readonly string[]> = {
  readonly kind: Kind
  readonly name: `millrace_${Name}`
  readonly help: string
  readonly labels: Labels
}

/** Declares a counter. */
export function counter<Name extends string, const Labels extends readonly string[]>(
  name: `millrace_${Name}`,
  help: string,
  ...labels: Labels
): Named<'counter', Name, Labels> {
  return { kind: 'counter', name, help, labels }
}

/** Declares a gauge. */
export function gauge<Name extends string, const Labels extends readonly string[]>(
  name: `millrace_${Name}`,
  help: string,
  ...labels: Labels
): Named<'gauge', Name, Labels> {
  return { kind: 'gauge', name, help, labels }
}

/** Declares a histogram. */
export function histogram<Name extends string, const Labels extends readonly string[]>(
  name: `millrace_${Name}`,
  help: string,
  ...labels: Labels
): Named<'histogram', Name, Labels> {
  return { kind: 'histogram', name, help, labels }
}
