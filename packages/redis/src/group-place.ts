import type { GroupPartition } from '@millrace/processor'
import type { Redis } from 'ioredis'
import type { GroupScripts } from './group-scripts.ts'
import type { GroupKeys, Keys, PartitionKeys } from './keys.ts'

/** Where the calls of a group store go: one group's side of one partition, on one server. */
export interface GroupPlace {
  readonly redis: Redis
  readonly scripts: GroupScripts
  readonly names: GroupKeys
  readonly partition: PartitionKeys
  /** What Redis calls the group; a later generation has one of its own. */
  readonly redisGroup: string
}

/** The place of a group's side of a partition. */
export function placeOf(redis: Redis, scripts: GroupScripts, keys: Keys, at: GroupPartition): GroupPlace {
  const { topic, partition, group, generation = 0 } = at
  return {
    redis,
    scripts,
    names: keys.group(topic, partition, group, generation),
    partition: keys.partition(topic, partition),
    redisGroup: generation === 0 ? group : `${group}:${generation}`,
  }
}
