import type { Topic } from '@millrace/event'
import type { Position } from '@millrace/log'
import type { DeadLetter } from './dead-letter.ts'

/** One group's side of one partition. */
export interface GroupPartition {
  readonly topic: Topic
  readonly partition: number
  /** Lower case letters, digits and dashes. */
  readonly group: string
}

/** A place within a known partition: everything up to and including this event. */
export type Reached = Pick<Position, 'id' | 'seq'>

/** The right to process a partition, as `acquire` hands it out. */
export interface Lease {
  /** `<counter>-<nonce>`: compared for equality, never ordered. */
  readonly token: string
  /** Everything up to here is settled. */
  readonly position: Reached
  /** Number of the last commit; the next one carries n + 1. */
  readonly n: number
  /** Sequence numbers beyond the position that are settled already. */
  readonly ahead: readonly number[]
  /** Sequence number of the partition's last event. */
  readonly tip: number
}

/** What a member has settled. The numbers beyond the position are all that is settled there, not only what is new. */
export interface Commit {
  readonly token: string
  /** The last commit's number + 1. */
  readonly n: number
  readonly position: Reached
  readonly ahead: readonly number[]
  /** Letters that no commit has carried yet. */
  readonly dead: readonly DeadLetter[]
}

/** What a group's record says, for operators. */
export interface GroupState {
  readonly position: Reached
  readonly n: number
  readonly ahead: readonly number[]
  /** Who holds the lease, or held it last. */
  readonly member: string | undefined
  /** When the lease ends or ended, in ms since the epoch; 0 when it was released. */
  readonly untilMs: number
  readonly deadLetters: number
}

/**
 * Leases, positions and dead letters of groups. Every call is one atomic step. See docs/state-machines.md.
 *
 * Every method throws MillraceError `log.unavailable` (nothing was done), and those that write `commit.unknown`
 * (it may have been done: repeat the same call).
 */
export interface GroupStore {
  /**
   * Takes the lease of a partition that nobody holds, whose deadline has passed, or that this same member holds:
   * always with a new token, which fences the one before. Undefined when another member holds it.
   * `member` must be unique to one run of one consumer.
   */
  acquire(at: GroupPartition, member: string, leaseMs: number): Promise<Lease | undefined>

  /** Moves the deadline. Answers the tip, or that the token or n is not the stored one any more. */
  renew(at: GroupPartition, lease: Pick<Lease, 'token' | 'n'>, leaseMs: number): Promise<Renewal>

  /**
   * Makes a commit true: position, ahead and dead letters in one step, and moves Redis's own group with it.
   *
   * @throws MillraceError `commit.refused` when the position is behind the group's, beyond the tip or not on the
   *   log as it is now; `log.corrupt`. Nothing is written then.
   */
  commit(at: GroupPartition, commit: Commit): Promise<'committed' | 'already' | 'fenced'>

  /** Gives the lease back, so that another member need not wait for the deadline. */
  release(at: GroupPartition, token: string): Promise<'released' | 'fenced'>

  look(at: GroupPartition): Promise<GroupState>

  /** Dead letters in the order of the log, after a sequence number. Default: the first 100. */
  deadLetters(
    at: GroupPartition,
    options?: { readonly after?: number; readonly limit?: number },
  ): Promise<readonly DeadLetter[]>
}

/** How a renewal ended. */
export type Renewal = { readonly status: 'renewed'; readonly tip: number } | { readonly status: 'fenced' }

/** Checks a group's name. Throws a TypeError: a wrong one is a mistake in code. */
export function assertGroupName(group: string): void {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(group))
    throw new TypeError(
      `The group name "${group}" must be lower case letters, digits and dashes, at most 63, a letter first`,
    )
}
