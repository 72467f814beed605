import type { Topic } from '@millrace/event'
import type { Position } from '@millrace/log'

/** One group's side of one partition. */
export interface GroupPartition {
  readonly topic: Topic
  readonly partition: number
  /** Lower case letters, digits and dashes. */
  readonly group: string
  /** Which of the group's states: a replay builds a later one beside the live one. Default 0, the first. */
  readonly generation?: number
}

/** A place within a known partition: everything up to and including this event. */
export type Reached = Pick<Position, 'id' | 'seq'>

/** Which part of a list to answer. */
export interface PageOptions {
  /** Where the page before ended: its `next`. */
  readonly after?: string
  readonly limit?: number
}

/** Checks a group's name. Throws a TypeError: a wrong one is a mistake in code. */
export function assertGroupName(group: string): void {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(group))
    throw new TypeError(
      `The group name "${group}" must be lower case letters, digits and dashes, at most 63, a letter first`,
    )
}
