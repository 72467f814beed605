import { metricNames } from '../metric-names.ts'
import type { Metrics, Reading } from '../metrics.ts'

const states = ['closed', 'open', 'half-open'] as const

/** How a circuit breaker is. */
export type BreakerState = (typeof states)[number]

/** The circuit breakers of a process: those that tell of their changes, and those that are asked. */
export class BreakerStates {
  readonly #told = new Map<
    string,
    { readonly labels: readonly [string, string]; readonly read: () => BreakerState }
  >()

  constructor(metrics: Metrics) {
    metrics.gauge(metricNames.breakerState, () => [...this.#told.values()].flatMap(readingsOf))
  }

  /** Has come to a state. */
  set(group: string, breaker: string, state: BreakerState): void {
    this.watch(group, breaker, () => state)
  }

  /** There is such a breaker; closed, as long as it has not said anything else. */
  known(group: string, breaker: string): void {
    if (!this.#told.has(keyOf(group, breaker))) this.set(group, breaker, 'closed')
  }

  /** A breaker that is asked at each scrape. */
  watch(group: string, breaker: string, read: () => BreakerState): void {
    this.#told.set(keyOf(group, breaker), { labels: [group, breaker], read })
  }
}

function keyOf(group: string, breaker: string): string {
  return `${group}\u0000${breaker}`
}

function readingsOf(one: {
  readonly labels: readonly [string, string]
  readonly read: () => BreakerState
}): readonly Reading[] {
  const present = one.read()
  return states.map((state) => ({ labels: [...one.labels, state], value: state === present ? 1 : 0 }))
}
