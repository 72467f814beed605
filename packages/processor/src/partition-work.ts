import type { Recorded } from '@millrace/log'
import type { EndReason } from './consumer-event.ts'
import type { EffectBreakerHealth } from './engine/effect-breaker.ts'
import type { GroupPartition, Lease, Reached } from './group-store.ts'

/** How the effects of a partition are. */
export interface WaitingEffects {
  readonly waiting: number
  /** So many wait that the partition takes nothing in. */
  readonly full: boolean
  /** The breakers before them that are not closed: the same ones for all partitions of a member. */
  readonly away: readonly EffectBreakerHealth[]
}

/** A member's work on one partition, from the lease to its end, as its group consumer sees it. */
export interface PartitionWork {
  readonly partition: number
  /** Why it has ended. */
  readonly end: EndReason | undefined
  /** What it ended by, if that was an error. */
  readonly error: unknown
  /** Whether it has shown that it works: a commit came back, or everything is done. */
  readonly proven: boolean
  readonly position: Reached
  readonly cursor: Reached
  /** Events that may be taken in now. */
  readonly room: number
  readonly inHand: number
  /** Deliveries whose handlers have not ended. */
  readonly running: number
  /** Events behind the position, as far as is known. */
  readonly lag: number
  /** Keys whose head waits for its next attempt. */
  readonly backingOff: number
  /** Keys that are in memory. */
  readonly lanes: number
  /** Effects that wait, where there are any to wait. */
  readonly effects?: WaitingEffects
  /** For how long there has been lag and nothing has moved, in ms; 0 while all is well. */
  readonly stalledForMs: number

  /** A sign of life of what is around: a read was answered, the gate has opened. */
  alive(): void
  /** Takes what was read behind the cursor. */
  intake(events: readonly Recorded[]): void
  /** Hands over what can be handed over now. Answers whether that was something. */
  startNext(): boolean
  /** Reads no more and starts no more handlers; those that run may end. */
  quiet(): void
  /** Commits everything that is settled. To be called when the last handler has ended. */
  commitAll(): Promise<void>
  /** Aborts the signals of the handlers that run. */
  abortHandlers(): void
  /** Resolves when no handler runs. */
  drained(): Promise<void>
  /** Ends the work; what is in hand and not committed is dropped. The first reason stands. */
  endBy(reason: EndReason, error?: unknown): void
  renew(): Promise<void>
  release(): Promise<'released' | 'fenced'>
}

/** What the work on a partition begins with. */
export interface PartitionStart {
  readonly at: GroupPartition
  readonly lease: Lease
  /** When the lease was asked for, in ms of the member's elapsed time. */
  readonly askedAtMs: number
  /** To be called when a delivery has ended, room has come free or the work has ended. */
  readonly changed: () => void
}
