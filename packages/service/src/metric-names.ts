/** A metric as it is published. Base units; counters end in `_total`; never an id, key or address as a label. */
export interface MetricName {
  readonly name: `millrace_${string}`
  readonly help: string
  readonly labels: readonly string[]
}

/** Every metric that Millrace publishes, beside those of the process. Dashboards and tests read this list. */
export const metricNames = {
  httpRequests: {
    name: 'millrace_http_requests_total',
    help: 'Requests answered',
    labels: ['service', 'method', 'route', 'status'],
  },
  httpSeconds: {
    name: 'millrace_http_request_duration_seconds',
    help: 'Time from the last header of a request to its answer',
    labels: ['service', 'method', 'route'],
  },
  httpInFlight: {
    name: 'millrace_http_requests_in_flight',
    help: 'Requests that have no answer yet',
    labels: ['service'],
  },
  info: { name: 'millrace_info', help: 'Always 1; the version in its label', labels: ['version'] },
} as const satisfies Record<string, MetricName>
