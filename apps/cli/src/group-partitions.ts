import { MillraceError } from '@millrace/event'
import type { GroupPartition } from '@millrace/processor'
import { groupsNamed } from './log-system.ts'

/**
 * The partitions of the known groups that options name.
 *
 * @throws MillraceError `topic.unknown`, `group.unknown`, `request.invalid`
 */
export function partitionsNamed(options: {
  readonly topic?: string
  readonly group?: string
  readonly partition?: number
}): readonly GroupPartition[] {
  const { partition: only } = options
  const found = groupsNamed(options.topic, options.group).flatMap(({ group, topic }) =>
    Array.from({ length: topic.partitions }, (_, partition) => ({ topic, group, partition })),
  )
  const chosen = found.filter(({ partition }) => (only ?? partition) === partition)
  if (chosen.length === 0) throw new MillraceError('request.invalid', `There is no partition ${only}`)
  return chosen
}
