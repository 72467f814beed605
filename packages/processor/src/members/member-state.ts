import type { ListedMember, MembersView } from './member-list.ts'

/** A member as others see it. See docs/state-machines.md. */
export type MemberState = 'joining' | 'live' | 'silent' | 'gone'

/**
 * Whether a listed member is live. Seen in the future counts like seen in the past: after a failover the server's
 * clock may be behind, and the dead must not live on for that difference.
 */
export function listedState({ seenMs, ttlMs }: ListedMember, nowMs: number): 'live' | 'silent' {
  return Math.abs(nowMs - seenMs) < ttlMs ? 'live' : 'silent'
}

/** The members that are live. */
export function liveMembers({ members, nowMs }: MembersView): readonly ListedMember[] {
  return members.filter((member) => listedState(member, nowMs) === 'live')
}
