import { metricNames } from '../metric-names.ts'
import type { Metrics, Reading } from '../metrics.ts'
import type { WatchedGroup } from './watched-group.ts'

type PartitionNumber = 'backingOff' | 'lanes' | 'inHand'

/** What the members in this process know of themselves: asks nobody else, so it is there when the store is away. */
export function memberGauges(metrics: Metrics, groups: () => readonly WatchedGroup[]): void {
  const sum = (field: PartitionNumber) => () =>
    groups().map((one) => ({
      labels: labelsOf(one),
      value: ownedBy(one).reduce((total, partition) => total + (partition[field] ?? 0), 0),
    }))
  metrics.gauge(metricNames.lanes, sum('lanes'))
  metrics.gauge(metricNames.lanesWaiting, sum('backingOff'))
  metrics.gauge(metricNames.inHand, sum('inHand'))
  metrics.gauge(metricNames.leases, () =>
    groups().map((one) => ({ labels: labelsOf(one), value: ownedBy(one).length })),
  )
  metrics.gauge(metricNames.members, () => groups().flatMap(membersOf))
}

function labelsOf({ topic, group }: WatchedGroup): readonly [string, string] {
  return [topic.name, group]
}

function ownedBy({ health }: WatchedGroup) {
  return health().partitions.filter(({ owned }) => owned)
}

function membersOf(one: WatchedGroup): readonly Reading[] {
  const all = one.health().members?.all ?? []
  return (['live', 'silent'] as const).map((state) => ({
    labels: [...labelsOf(one), state],
    value: all.filter((member) => member.state === state).length,
  }))
}
