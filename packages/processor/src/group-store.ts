import type { Page } from '@millrace/log'
import type { DueAnswer, DueBy } from '@millrace/retry'
import type { Commit, CommitResult } from './commit.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { DeferredEvent, DeferredList } from './deferred-event.ts'
import type { EffectLedger } from './effect-ledger.ts'
import type { EffectRepairs } from './effect-repairs.ts'
import type { GroupAudit } from './group-audit.ts'
import type { GroupPartition, GroupStart, PageOptions, Reached } from './group-partition.ts'
import type { DueTimers, JournalledFiring } from './key-timer.ts'
import type { MigratedKey } from './migrated-key.ts'
import type { Outbox } from './outbox.ts'
import type { ParkedKey } from './parked-key.ts'
import type { Repairs } from './repairs.ts'
import type { DueKey, Ruling } from './ruling.ts'
import type { ShadowStore } from './shadow/shadow-store.ts'
import type { StoredState } from './stored-state.ts'

export {
  assertGroupName,
  type GroupPartition,
  type GroupStart,
  type PageOptions,
  type Reached,
} from './group-partition.ts'

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
  /** Effects and emits of events up to here are withheld, as the group's start says. */
  readonly withheldTo: number
  /** This call has begun the record, at the start that it named. */
  readonly began: boolean
}

/** What a group's record says, for operators. */
export interface GroupState {
  /** Where it began: what lies before is none of its events. */
  readonly start: Required<GroupStart>
  /** Number of the generation that is the live one: 0 until the first switch. */
  readonly generation: number
  readonly position: Reached
  readonly n: number
  readonly ahead: readonly number[]
  /** Who holds the lease, or held it last. */
  readonly member: string | undefined
  /** When the lease ends or ended, in ms since the epoch; 0 when it was released. */
  readonly untilMs: number
  readonly deadLetters: number
}

/** What is stored of one key. */
export interface StoredKey {
  readonly key: string
  readonly state: StoredState | undefined
  readonly parked: ParkedKey | undefined
  readonly deferred: readonly DeferredEvent[]
}

/**
 * The one transaction of the processor: leases, and commits that make outcomes true. Every call that writes, and the
 * audit, is one atomic step. See docs/state-machines.md.
 *
 * Every method throws MillraceError `log.unavailable` (nothing was done) and `log.corrupt` (nothing was done, a key
 * holds something foreign); those that write `commit.unknown` (it may have been done: repeat the same call).
 */
export interface GroupStore extends Outbox, EffectLedger, EffectRepairs, Repairs, ShadowStore {
  /**
   * Takes the lease of a partition that nobody holds, whose deadline has passed, or that this same member holds:
   * always with a new token, which fences the one before. Undefined when another member holds it.
   * `member` must be unique to one run of one consumer. `start` is where a group begins that has no record yet.
   *
   * @throws MillraceError `commit.refused` when the log has no such start
   */
  acquire(at: GroupPartition, member: string, leaseMs: number, start?: GroupStart): Promise<Lease | undefined>

  /** Takes the lease, whoever holds it: the holder is fenced, drops what it has in hand and asks for it again. */
  seize(at: GroupPartition, member: string, leaseMs: number): Promise<Lease>

  /** Moves the deadline. Answers the tip, or that the token or n is not the stored one any more. */
  renew(at: GroupPartition, lease: Pick<Lease, 'token' | 'n'>, leaseMs: number): Promise<Renewal>

  /**
   * Makes a commit true, all its parts in one step, and moves Redis's own group with it.
   *
   * @throws MillraceError `commit.refused` when it does not fit what is stored, `commit.too-large`; nothing is
   *   written then
   * @throws TypeError when its parts contradict each other: a mistake in code
   */
  commit(at: GroupPartition, commit: Commit): Promise<CommitResult>

  /** Gives the lease back, so that another member need not wait for the deadline. */
  release(at: GroupPartition, token: string): Promise<'released' | 'fenced'>

  look(at: GroupPartition): Promise<GroupState>

  /** What is stored of keys, in the order asked for. At most 1,000. */
  loadStates(at: GroupPartition, keys: readonly string[]): Promise<readonly StoredKey[]>

  /** The journal entries of keys that were taken over from another system, of those that were. At most 1,000. */
  migrations(at: GroupPartition, keys: readonly string[]): Promise<ReadonlyMap<string, MigratedKey>>

  /** Parked keys, those with the earliest heads first. Default limit 100. */
  parked(at: GroupPartition, options?: PageOptions): Promise<Page<ParkedKey>>

  /**
   * Marks a parked key as due: its owner runs it. Needs no token; a repeat is `already`. `stale`: the key is not parked
   * with this number any more, or it waits for an operator and the clock asks.
   */
  markDue(at: GroupPartition, key: string, parkNo: number, by: DueBy, nowMs: number): Promise<DueAnswer>

  /** Keys that were marked as due up to a time, those that were marked first at first. Default: the first 100. */
  dueKeys(at: GroupPartition, nowMs: number, limit?: number): Promise<readonly DueKey[]>

  /** What operators have decided about events, by their seq. At most 1,000. */
  rulings(at: GroupPartition, seqs: readonly number[]): Promise<ReadonlyMap<number, Ruling>>

  /** The deferred events of a key, in order. */
  deferred(at: GroupPartition, key: string): Promise<readonly DeferredEvent[]>

  /** Keys with deferred events, those with the earliest first. Default limit 100. */
  deferredKeys(at: GroupPartition, options?: PageOptions): Promise<Page<DeferredList>>

  /** Dead letters in the order of the log, after a sequence number. Default: the first 100. */
  deadLetters(
    at: GroupPartition,
    options?: { readonly after?: number; readonly limit?: number },
  ): Promise<readonly DeadLetter[]>

  /** The timers that are due, earliest first. Default: the first 100. */
  dueTimers(at: GroupPartition, nowMs: number, limit?: number): Promise<DueTimers>

  /** The journal of firings, by the event that each came after: from `fromSeq` on. Default limit 100. */
  firings(
    at: GroupPartition,
    options?: PageOptions & { readonly fromSeq?: number },
  ): Promise<Page<JournalledFiring>>

  /** Where all events and effects are, counted in one step. */
  audit(at: GroupPartition): Promise<GroupAudit>
}

/** How a renewal ended. */
export type Renewal = { readonly status: 'renewed'; readonly tip: number } | { readonly status: 'fenced' }
