import { listedState } from './member-state.ts'
import type { MembersView } from './member-list.ts'

/** What a member tells of its group and of its own partitions. */
export type MemberNews =
  /** Another member (or this one, at first) is live, is not heard of any more, or has left. */
  | { readonly kind: 'member-live' | 'member-silent' | 'member-left'; readonly who: string }
  /** There is another assignment; these partitions are to be this member's. */
  | { readonly kind: 'assigned'; readonly revision: number; readonly partitions: readonly number[] }
  /** This member drains a partition for the one that is to own it. */
  | { readonly kind: 'handing-over'; readonly partition: number; readonly to: string }
  /** It has done so, and let go of the lease if `released`; `tookMs` is the time from the beginning. */
  | {
      readonly kind: 'handed-over'
      readonly partition: number
      readonly to: string
      readonly tookMs: number
      readonly released: boolean
    }

/** What has changed between two looks at the list, as far as it is worth telling. */
export function newsBetween(
  before: MembersView | undefined,
  after: MembersView,
  self: string,
): readonly MemberNews[] {
  const was = statesIn(before)
  const is = statesIn(after)
  const arrivals = [...is]
    .filter(([who, state]) => was.get(who) !== state && (state === 'live' || was.has(who)))
    .map(([who, state]): MemberNews => ({ kind: state === 'live' ? 'member-live' : 'member-silent', who }))
  const departures = [...was]
    .filter(([who, state]) => state === 'live' && !is.has(who))
    .map(([who]): MemberNews => ({ kind: 'member-left', who }))
  const { revision, owners } = after.assignment
  if (revision === 0 || revision === before?.assignment.revision) return [...arrivals, ...departures]
  const partitions = partitionsOf(owners, self)
  return [...arrivals, ...departures, { kind: 'assigned', revision, partitions }]
}

/** The partitions that an assignment names a member for. */
export function partitionsOf(owners: readonly string[], member: string): readonly number[] {
  return [...owners.keys()].filter((partition) => owners[partition] === member)
}

function statesIn(view: MembersView | undefined): ReadonlyMap<string, 'live' | 'silent'> {
  return new Map((view?.members ?? []).map((one) => [one.member, listedState(one, view?.nowMs ?? 0)]))
}
