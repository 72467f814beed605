import { currentContext } from './context.ts'
import { metricNames } from './metric-names.ts'
import type { Count, Metrics } from './metrics.ts'
import type { Observed } from './plain-histogram.ts'

/** Counts the requests of a service; what the HTTP kit asks for. */
export interface ServiceRequestMeter {
  begin(): void
  end(method: string, route: string, status: number, seconds: number): void
}

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Makes the meter of one service. Its metrics have the service as a label: several share a process. */
export function requestMeter(metrics: Metrics, service: string): ServiceRequestMeter {
  const series = new Map<string, { readonly requests: Count; readonly seconds: Observed }>()
  let running = 0
  inFlightOf(metrics).set(service, () => running)
  return {
    begin: () => {
      running += 1
    },
    end: (method, route, status, seconds) => {
      running -= 1
      const key = `${method} ${route} ${status}`
      let one = series.get(key)
      if (!one) {
        one = {
          requests: metrics.count(metricNames.httpRequests, service, method, route, String(status)),
          seconds: metrics.histogram(metricNames.httpSeconds, buckets, service, method, route),
        }
        series.set(key, one)
      }
      one.requests.value += 1
      one.seconds.observe(seconds, 1, currentContext()?.traceparent)
    },
  }
}

const inFlight = new WeakMap<Metrics, Map<string, () => number>>()

function inFlightOf(metrics: Metrics): Map<string, () => number> {
  const known = inFlight.get(metrics)
  if (known) return known
  const services = new Map<string, () => number>()
  inFlight.set(metrics, services)
  metrics.gauge(metricNames.httpInFlight, () =>
    [...services].map(([service, read]) => ({ labels: [service], value: read() })),
  )
  return services
}
