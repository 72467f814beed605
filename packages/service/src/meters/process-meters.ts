import type { Health, HealthState } from '../health.ts'
import { linesLogged } from '../log-counts.ts'
import { metricNames } from '../metric-names.ts'
import type { Metrics, Reading } from '../metrics.ts'
import { appendMeter } from './append-meter.ts'
import { type BreakerState, BreakerStates } from './breaker-states.ts'
import { consumerMeter } from './consumer-meter.ts'
import { groupGauges } from './group-gauges.ts'
import type { GroupSources } from './group-survey.ts'
import { memberGauges } from './member-gauges.ts'
import { PipelineGauges, type PipelineNumbers } from './pipeline-gauges.ts'
import { shadowGauge } from './shadow-gauge.ts'
import { redisGauges, type RedisFacts } from './redis-gauges.ts'
import type { WatchedGroup } from './watched-group.ts'

/** What the meters of a process are made with. */
export interface ProcessMetersOptions {
  readonly metrics: Metrics
  readonly health: Pick<Health, 'report'>
  readonly version: string
  /** What the groups of this process are looked at with; asked for once there is one. */
  readonly groups: () => Promise<GroupSources>
  /** Absent: this process has no Redis. */
  readonly redis?: (() => Promise<RedisFacts>) | undefined
}

/** Jobs of a queue by state, or lag of a view by partition. */
export type NamedNumbers = Readonly<Record<string, number>>

const states = ['ok', 'degraded', 'down'] as const satisfies readonly HealthState[]

/** All meters of a process: what is told on diagnostics channels, and what is looked at with each scrape. */
export class ProcessMeters {
  readonly #metrics: Metrics
  readonly #groups: WatchedGroup[] = []
  readonly #queues = new Map<string, () => Promise<NamedNumbers>>()
  readonly #views = new Map<string, () => Promise<NamedNumbers>>()
  readonly #breakers: BreakerStates
  readonly #pipelines: PipelineGauges
  readonly #ends: readonly (() => void)[]

  constructor({ metrics, health, version, groups, redis }: ProcessMetersOptions) {
    this.#metrics = metrics
    const watched = () => this.#groups
    this.#breakers = new BreakerStates(metrics)
    this.#pipelines = new PipelineGauges(metrics)
    this.#ends = [appendMeter(metrics), consumerMeter(metrics, this.#breakers), shadowGauge(metrics)]
    memberGauges(metrics, watched)
    groupGauges(metrics, watched, groups)
    if (redis) redisGauges(metrics, redis)
    metrics.gauge(metricNames.queueJobs, () => readAll(this.#queues))
    metrics.gauge(metricNames.viewLag, () => readAll(this.#views))
    metrics.gauge(metricNames.info, () => [{ labels: [version], value: 1 }])
    metrics.gauge(metricNames.logLines, () =>
      Object.entries(linesLogged).map(([level, value]) => ({ labels: [level], value })),
    )
    metrics.gauge(metricNames.dependencyState, async () => {
      const { dependencies } = await health.report()
      return Object.entries(dependencies).flatMap(([name, { state: present }]) =>
        states.map((state) => ({ labels: [name, state], value: state === present ? 1 : 0 })),
      )
    })
  }

  /** A group has a member in this process. */
  watchGroup(group: WatchedGroup): void {
    this.#groups.push(group)
    // There from the start: what has not happened is 0, not absent.
    const labels = [group.topic.name, group.group] as const
    for (const outcome of ['committed', 'fenced'])
      this.#metrics.count(metricNames.commits, ...labels, outcome)
    for (const reason of ['stop', 'moved', 'lost', 'fault', 'restart'])
      this.#metrics.count(metricNames.leasesEnded, ...labels, reason)
    for (const metric of [metricNames.stalls, metricNames.leasesTaken, metricNames.rebalances])
      this.#metrics.count(metric, ...labels)
  }

  /** A breaker that tells nothing by itself. */
  watchBreaker(group: string, breaker: string, read: () => BreakerState): void {
    this.#breakers.watch(group, breaker, read)
  }

  /** Such a breaker has come to a state. */
  breakerChanged(group: string, breaker: string, state: BreakerState): void {
    this.#metrics.count(metricNames.breakerChanges, group, breaker, state).value += 1
  }

  /** A queue: how many jobs it has, by state. */
  watchQueue(queue: string, read: () => Promise<NamedNumbers>): void {
    this.#queues.set(queue, read)
  }

  /** A view: how many events on the log are not in it, by partition. */
  watchView(view: string, read: () => Promise<NamedNumbers>): void {
    this.#views.set(view, read)
  }

  /** Suggestions: how many there are, by status. */
  watchSuggestions(read: () => Promise<NamedNumbers>): void {
    this.#metrics.gauge(metricNames.suggestions, async () =>
      Object.entries(await read()).map(([status, value]) => ({ labels: [status], value })),
    )
  }

  /** A reader of a change stream in this process. */
  watchPipeline(pipeline: string, read: () => PipelineNumbers): void {
    this.#pipelines.watch(pipeline, read)
  }

  /** Hears nothing more. */
  end(): void {
    for (const end of this.#ends) end()
  }
}

async function readAll(
  sources: ReadonlyMap<string, () => Promise<NamedNumbers>>,
): Promise<readonly Reading[]> {
  const all = await Promise.all(
    [...sources].map(async ([name, read]) =>
      Object.entries(await read()).map(([of, value]) => ({ labels: [name, of], value })),
    ),
  )
  return all.flat()
}
