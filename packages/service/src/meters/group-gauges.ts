import { type Clock, systemClock } from '@millrace/event'
import type { GroupCounters } from '@millrace/processor'
import type { MetricName } from '../metric-name.ts'
import { metricNames } from '../metric-names.ts'
import type { Metrics, Reading } from '../metrics.ts'
import { type GroupSources, type PartitionFacts, surveyGroups } from './group-survey.ts'
import { Survey } from './survey.ts'
import type { WatchedGroup } from './watched-group.ts'

const places = [
  'done',
  'parked',
  'lined',
  'deferred',
  'dead',
  'requeued',
] as const satisfies readonly (keyof GroupCounters)[]
const effectStates = ['pending', 'parked', 'dead', 'withheld'] as const

/** What the store says of the groups of this process: lag, where events are, what waits for operators, conservation. */
export function groupGauges(
  metrics: Metrics,
  groups: () => readonly WatchedGroup[],
  sources: () => Promise<GroupSources>,
  clock: Clock = systemClock,
): void {
  const survey = new Survey(async () =>
    groups().length === 0 ? [] : surveyGroups(groups(), await sources(), clock),
  )
  const each = (metric: MetricName, read: (facts: PartitionFacts) => number) =>
    metrics.gauge(metric, async () =>
      (await survey.get()).map((facts) => ({ labels: labelsOf(facts), value: read(facts) })),
    )
  const several = (
    metric: MetricName,
    read: (facts: PartitionFacts) => readonly (readonly [string, number])[],
  ) =>
    metrics.gauge(metric, async () =>
      (await survey.get()).flatMap((facts) =>
        read(facts).map(([name, value]) => ({ labels: [...labelsOf(facts), name], value })),
      ),
    )
  each(metricNames.groupLag, ({ lag }) => lag)
  each(metricNames.groupOldest, ({ oldestMs }) => oldestMs / 1_000)
  each(metricNames.groupSinceProgress, ({ stillMs }) => stillMs / 1_000)
  each(metricNames.groupDifferences, ({ audit }) => audit.findings.length)
  each(metricNames.groupOutbox, ({ audit }) => audit.structures.outbox)
  each(metricNames.groupTimers, ({ audit }) => audit.structures.timers)
  several(metricNames.groupEvents, ({ audit }) => [
    ...places.map((place) => [place, audit.counters[place]] as const),
    ['unsettled', audit.unsettled],
  ])
  several(metricNames.groupEffects, ({ audit }) =>
    effectStates.map((state) => [state, audit.counters.effects[state]] as const),
  )
  metrics.gauge(metricNames.groupUnprocessable, async () =>
    (await survey.get()).flatMap(({ topic, group, unprocessable }) =>
      unprocessable.classes.map(({ name, count }) => ({ labels: [topic, group, name], value: count })),
    ),
  )
  metrics.gauge(metricNames.groupOldestUnprocessable, async () => oldest(await survey.get(), clock.now()))
}

function labelsOf({ topic, group, partition }: PartitionFacts): readonly string[] {
  return [topic, group, String(partition)]
}

function oldest(all: readonly PartitionFacts[], nowMs: number): readonly Reading[] {
  const ages = new Map<string, { readonly labels: readonly string[]; value: number }>()
  for (const { topic, group, unprocessable } of all) {
    const age = unprocessable.oldestMs === undefined ? 0 : Math.max(0, nowMs - unprocessable.oldestMs) / 1_000
    const known = ages.get(`${topic} ${group}`)
    if (known) known.value = Math.max(known.value, age)
    else ages.set(`${topic} ${group}`, { labels: [topic, group], value: age })
  }
  return [...ages.values()]
}
