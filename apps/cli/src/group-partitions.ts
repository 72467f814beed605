import { MillraceError } from '@millrace/event'
import type { GroupPartition } from '@millrace/processor'
import { groupsNamed } from './log-system.ts'

/** Where a command looks: in all topics and groups of the services, as far as nothing is named. */
export interface Place {
  readonly topic?: string
  readonly group?: string
  readonly partition?: number
}

/**
 * The partitions of the known groups that options name.
 *
 * @throws MillraceError `topic.unknown`, `group.unknown`, `request.invalid`
 */
export function partitionsNamed(options: Place): readonly GroupPartition[] {
  const { partition: only } = options
  const found = groupsNamed(options.topic, options.group).flatMap(({ group, topic }) =>
    Array.from({ length: topic.partitions }, (_, partition) => ({ topic, group, partition })),
  )
  const chosen = found.filter(({ partition }) => (only ?? partition) === partition)
  if (chosen.length === 0) throw new MillraceError('request.invalid', `There is no partition ${only}`)
  return chosen
}

/**
 * The same for a repair of more than one: what it is about is never all that there is, so a topic or a group is named.
 *
 * @throws MillraceError as above, and `request.invalid` without a topic and a group
 */
export function partitionsToRepair(options: Place): readonly GroupPartition[] {
  if (options.topic === undefined && options.group === undefined)
    throw new MillraceError('request.invalid', 'Say where: add --topic or --group, as the list shows them')
  return partitionsNamed(options)
}
