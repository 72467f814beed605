import type { MembersView } from './member-list.ts'
import { partitionsOf } from './member-news.ts'
import { listedState, type MemberState } from './member-state.ts'

/** A member as an operator wants to see it. */
export interface MemberHealth {
  readonly member: string
  readonly state: MemberState
  /** How long it has been in the list, and how long ago its last heartbeat was, in ms. */
  readonly listedForMs: number
  readonly seenAgoMs: number
  /** The partitions that it is the desired owner of. */
  readonly partitions: readonly number[]
  /** The partitions that it cannot work on now. */
  readonly declines: readonly number[]
}

/** A group's members as one of them sees them. */
export interface MembersHealth {
  /** The one that looks. */
  readonly member: string
  /** What it is, as far as it knows: silent when the list has not answered it for too long. */
  readonly state: MemberState
  /** Revision of the assignment; 0 when there is none yet. */
  readonly revision: number
  readonly all: readonly MemberHealth[]
  /** Why the list cannot be used, when no repeat will mend that. */
  readonly fault?: string
}

/** Says what a member knows of its group. */
export function membersHealth(
  view: MembersView | undefined,
  self: { readonly member: string; readonly state: MemberState; readonly fault: string | undefined },
): MembersHealth {
  const { member, state, fault } = self
  const { nowMs, members, assignment } = view ?? nothing
  return {
    member,
    state,
    revision: assignment.revision,
    all: members.map((one) => ({
      member: one.member,
      state: listedState(one, nowMs),
      listedForMs: nowMs - one.sinceMs,
      seenAgoMs: nowMs - one.seenMs,
      partitions: partitionsOf(assignment.owners, one.member),
      declines: one.declines,
    })),
    ...(fault === undefined ? {} : { fault }),
  }
}

const nothing: MembersView = { nowMs: 0, members: [], assignment: { revision: 0, owners: [] } }
