import type { Topic } from '@millrace/event'

/** A group as a whole: all partitions of its topic. */
export interface MemberGroup {
  readonly topic: Topic
  /** Lower case letters, digits and dashes. */
  readonly group: string
}

/** What a member says of itself. */
export interface Heartbeat {
  /** Unique to one run of one consumer. */
  readonly member: string
  /** How long it counts as live without another heartbeat, in ms. */
  readonly ttlMs: number
  /** Partitions that it cannot work on now, and that another one should have. */
  readonly declines: readonly number[]
}

/** A member as the list has it. Times are the server's, in ms since the epoch. */
export interface ListedMember extends Heartbeat {
  /** Its first heartbeat. */
  readonly sinceMs: number
  /** Its last one. */
  readonly seenMs: number
}

/** Which member is to own which partition. */
export interface Assignment {
  /** 0 before the first one. */
  readonly revision: number
  /** The desired owner by partition; empty before the first one. */
  readonly owners: readonly string[]
}

/** The list as it was at one instant. */
export interface MembersView {
  /** The server's clock then. */
  readonly nowMs: number
  /** By name. */
  readonly members: readonly ListedMember[]
  readonly assignment: Assignment
}

/** Most members of a group. */
export const mostMembers = 500

/** How long a silent member stays in the list, for operators to see, in ms. */
export const silentKeptMs = 600_000

/**
 * The members of groups, seen by one clock, and the assignment that they agree on. Every call is one atomic step and
 * may be repeated without harm. See docs/state-machines.md.
 *
 * Every method throws MillraceError `members.unavailable` (repeat it later) or `log.corrupt`.
 */
export interface MemberList {
  /**
   * Says that a member lives, and takes those out of the list that have been silent for {@link silentKeptMs}.
   *
   * @throws MillraceError `members.full` when there are {@link mostMembers} others
   */
  heartbeat(at: MemberGroup, beat: Heartbeat): Promise<MembersView>

  /** Reads the list, and changes nothing. */
  look(at: MemberGroup): Promise<MembersView>

  /** Takes a member out of the list. */
  leave(at: MemberGroup, member: string): Promise<MembersView>

  /**
   * Proposes the next assignment, made out of the one with this revision. It stands as revision + 1, unless another
   * one has come first: the answer shows which one does.
   */
  assign(at: MemberGroup, made: Assignment): Promise<MembersView>
}
