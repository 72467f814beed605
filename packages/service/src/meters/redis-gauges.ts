import { metricNames } from '../metric-names.ts'
import type { Metrics } from '../metrics.ts'
import { shortSeconds } from './buckets.ts'
import { Survey } from './survey.ts'

/** What a look at Redis tells. */
export interface RedisFacts {
  /** How long a PING took, in ms. */
  readonly roundTripMs: number
  readonly memoryBytes: number
  /** 0: no limit. */
  readonly maxMemoryBytes: number
  /** `maxmemory-policy`: only `noeviction` is safe. */
  readonly policy: string
  /** `appendfsync`, or `off` without an append-only file, or `unknown` where the server does not say. */
  readonly fsync: string
  readonly evictedKeys: number
  readonly clients: number
  /** Its last write to disk went well. */
  readonly written: boolean
}

/** How Redis is, looked at with each scrape. */
export function redisGauges(metrics: Metrics, look: () => Promise<RedisFacts>): void {
  const seconds = metrics.histogram(metricNames.redisRoundTrip, shortSeconds)
  const survey = new Survey(async () => {
    const facts = await look()
    seconds.observe(facts.roundTripMs / 1_000)
    return facts
  })
  const up = () =>
    survey.get().then(
      () => 1,
      () => 0,
    )
  metrics.gauge(metricNames.redisUp, up)
  metrics.gauge(metricNames.redisMemory, async () => (await survey.get()).memoryBytes)
  metrics.gauge(metricNames.redisMemoryMax, async () => (await survey.get()).maxMemoryBytes)
  metrics.gauge(metricNames.redisEvicted, async () => (await survey.get()).evictedKeys)
  metrics.gauge(metricNames.redisClients, async () => (await survey.get()).clients)
  metrics.gauge(metricNames.redisMode, async () => {
    const { policy, fsync } = await survey.get()
    return [{ labels: [policy, fsync], value: 1 }]
  })
  metrics.gauge(metricNames.redisSafe, async () => {
    const { policy, fsync, evictedKeys, written } = await survey.get()
    return policy === 'noeviction' && fsync !== 'off' && evictedKeys === 0 && written ? 1 : 0
  })
}
