import type { GroupPartition } from '@millrace/processor'
import type { Redis } from 'ioredis'
import type { Reach } from './at-once.ts'
import type { GroupScripts } from './group-scripts.ts'
import type { GroupKeys, Keys, PartitionKeys } from './keys.ts'

/** Where the calls of a group store go: one group's side of one partition, on one server. */
export interface GroupPlace {
  readonly redis: Redis
  readonly scripts: GroupScripts
  readonly names: GroupKeys
  readonly partition: PartitionKeys
  /** What Redis calls the group: none where it would outlive it, with ephemeral groups and generations. */
  readonly redisGroup: string
  /** With an ephemeral group: how long everything of it is kept, in ms. */
  readonly expireMs: number | undefined
  readonly at: GroupPartition
  readonly keys: Keys
  /** How many withheld effects are kept. Default 10,000. */
  readonly withheldKept?: number
  readonly reach: Reach
  /** Time in ms; undefined: the server's clock. */
  readonly now: () => number | undefined
}

/** What all places on one server have in common. */
export type GroupServer = Pick<GroupPlace, 'redis' | 'scripts' | 'keys' | 'reach' | 'now' | 'withheldKept'>

/** The place of a group's side of a partition. */
export function placeOf(server: GroupServer, at: GroupPartition): GroupPlace {
  const { keys } = server
  const { topic, partition, group, generation = 0, expireMs } = at
  return {
    ...server,
    at,
    names: keys.group(topic, partition, group, generation),
    partition: keys.partition(topic, partition),
    redisGroup: generation === 0 && expireMs === undefined ? group : '',
    expireMs,
  }
}
