import type { Reached } from './group-partition.ts'

/** A partition that a member has taken. */
export interface TakenLease {
  readonly partition: number
  /** Of the lease. What the handler writes elsewhere can demand it, as a commit does. */
  readonly token: string
  readonly position: Reached
  /** What is settled beyond the position. */
  readonly ahead: readonly number[]
}

/** Data that a processor keeps outside of its group's record, as a view does: it has to fit what the group has settled. */
export interface KeptElsewhere {
  /**
   * Called when a partition was taken, before its first event: brings the data to where the group stands. The lease
   * is renewed meanwhile; the signal says that it was lost, or that the member stops. What it throws gives the lease
   * back, and the partition is tried again.
   */
  taken(lease: TakenLease, signal: AbortSignal): Promise<void>
  /** Asked every third of a lease: whether the data of a partition are still those that it was begun with. */
  holds(lease: Pick<TakenLease, 'partition' | 'token'>): Promise<boolean>
}
