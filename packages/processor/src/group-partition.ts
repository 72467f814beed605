import type { Topic } from '@millrace/event'
import type { Position } from '@millrace/log'

/** One group's side of one partition. */
export interface GroupPartition {
  readonly topic: Topic
  readonly partition: number
  /** Lower case letters, digits and dashes. */
  readonly group: string
  /** One that a replay builds beside the live one. Default: the live one. */
  readonly generation?: number
  /** An ephemeral group: everything of it is gone so many ms after its last sign of life. Default: it is kept. */
  readonly expireMs?: number
}

/** A place within a known partition: everything up to and including this event. */
export type Reached = Pick<Position, 'id' | 'seq'>

/** Where a group begins that has no record yet. */
export interface GroupStart extends Reached {
  /** Effects and emits of events up to this one are withheld: folded, and never carried out. Default 0: none. */
  readonly withheldTo?: number
}

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
