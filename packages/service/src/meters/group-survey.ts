import type { Clock } from '@millrace/event'
import { type EventLog, recordedMsOf } from '@millrace/log'
import type { DeadCounts, GroupAudit, GroupPartition, GroupStore } from '@millrace/processor'
import type { WatchedGroup } from './watched-group.ts'

/** What groups are looked at with. */
export interface GroupSources {
  readonly store: Pick<GroupStore, 'audit' | 'look' | 'deadCounts'>
  readonly log: Pick<EventLog, 'read'>
}

/** What was found of a group's partition. */
export interface PartitionFacts {
  readonly topic: string
  readonly group: string
  readonly partition: number
  readonly audit: GroupAudit
  readonly unprocessable: DeadCounts
  /** Events behind the position. */
  readonly lag: number
  /** Age of the first event behind the position, in ms; 0 when there is none. */
  readonly oldestMs: number
  /** For how long events have waited and nothing has moved, in ms; 0 while all is well. */
  readonly stillMs: number
}

/**
 * Looks at the partitions that members of this process own, and at those that nobody owns: each is in one process's
 * figures, and none is in nobody's for long.
 */
export async function surveyGroups(
  groups: readonly WatchedGroup[],
  sources: GroupSources,
  clock: Clock,
): Promise<readonly PartitionFacts[]> {
  const found = await Promise.all(
    groups.flatMap((watched) => {
      const { partitions } = watched.health()
      const stalls = new Map(
        partitions.map(({ partition, owned, stalledForMs }) => [
          partition,
          owned ? (stalledForMs ?? 0) : undefined,
        ]),
      )
      return Array.from({ length: watched.topic.partitions }, (_, partition) =>
        lookAt(
          { topic: watched.topic, partition, group: watched.group },
          stalls.get(partition),
          sources,
          clock,
        ),
      )
    }),
  )
  return found.filter((facts) => facts !== undefined)
}

/** @param stalledMs For how long its owner in this process has seen no progress; undefined: it has no owner here. */
async function lookAt(
  at: GroupPartition,
  stalledMs: number | undefined,
  { store, log }: GroupSources,
  clock: Clock,
): Promise<PartitionFacts | undefined> {
  const { topic, group, partition } = at
  const { position, untilMs } = await store.look(at)
  const nowMs = clock.now()
  if (stalledMs === undefined && untilMs > nowMs) return undefined
  const [audit, unprocessable] = await Promise.all([store.audit(at), store.deadCounts(at)])
  const lag = audit.counters.tip - audit.counters.position
  let oldestMs = 0
  if (lag > 0) {
    const first = (await log.read(topic, new Map([[partition, position.id]]), { limit: 1 })).get(
      partition,
    )?.[0]
    if (first !== undefined) oldestMs = Math.max(0, nowMs - recordedMsOf(first.position.id))
  }
  // Nobody has the lease: nothing has moved since it ran out, or ever.
  const abandonedMs = Math.min(oldestMs, untilMs === 0 ? oldestMs : nowMs - untilMs)
  const stillMs = stalledMs ?? abandonedMs
  return { topic: topic.name, group, partition, audit, unprocessable, lag, oldestMs, stillMs }
}
