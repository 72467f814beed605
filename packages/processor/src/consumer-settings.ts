import type { Clock, Topic } from '@millrace/event'
import type { EventLog, Recorded } from '@millrace/log'
import type { Backoff } from './backoff.ts'
import type { ConsumerNews } from './consumer-event.ts'
import type { FailureKind } from './failure-kind.ts'
import type { GroupStore, Reached } from './group-store.ts'
import type { KeptElsewhere } from './kept-elsewhere.ts'
import type { Timers } from './lane/timers.ts'
import type { MemberList } from './members/member-list.ts'
import type { PartitionStart, PartitionWork } from './partition-work.ts'

/** What a handler learns beside the event. */
export interface DeliveryContext {
  readonly partition: number
  /** 1 for the first attempt since this member took the partition. */
  readonly attempt: number
  /** Aborted when the lease is lost, the time limit is over, or a stop does not wait any longer. */
  readonly signal: AbortSignal
}

/** A door before all handlers: while it is closed nothing is handed over, and that is no failure and no stall. */
export interface Gate {
  readonly open: boolean
  /** Resolves when it may be tried to hand something over: once per call while the gate is closed still. */
  opened(signal: AbortSignal): Promise<void>
}

/** Bounds and times of a consumer; every field of `consume`'s options has its default here. */
export interface ConsumerBounds {
  /** Handlers at once, over all partitions, each for another key. */
  readonly concurrency: number
  /** Most events in hand of one partition: how far others go on while one key fails. */
  readonly window: number
  /** Most events that a handler of batches gets at once. */
  readonly batch: number
  /** Handled events of a partition after which a commit is due. */
  readonly commitEvery: number
  /** Most time in ms that a handled event waits for its commit. */
  readonly commitMs: number
  /** Length of a lease in ms: how long a crash of a member holds its partitions up. */
  readonly leaseMs: number
  /** Pauses between the attempts of one event. */
  readonly retry: Backoff
  /** Attempts that an event may cost before it becomes a dead letter. */
  readonly attempts: number
  /** Most time of one attempt in ms; then its signal is aborted. Infinity: none. */
  readonly handlerTimeoutMs: number
  /** Lag without progress for so many ms is a stall: no renewal, failed health. */
  readonly stalledMs: number
  /** How long a stop, or the hand-over of a partition, waits for handlers, in ms, before it aborts them. */
  readonly stopMs: number
}

export const consumerBounds = {
  concurrency: 16,
  window: 500,
  batch: 200,
  commitEvery: 100,
  commitMs: 1_000,
  leaseMs: 15_000,
  retry: { firstMs: 200, maxMs: 30_000 },
  attempts: Number.POSITIVE_INFINITY,
  handlerTimeoutMs: 30_000,
  stalledMs: 60_000,
  stopMs: 10_000,
} as const satisfies ConsumerBounds

/** Everything that the parts of a consumer need to know. */
export interface ConsumerSettings extends ConsumerBounds {
  readonly log: Pick<EventLog, 'read'>
  readonly store: GroupStore
  /** Undefined: nobody agrees on anything, each member tries for every partition. */
  readonly members: MemberList | undefined
  readonly topic: Topic
  readonly group: string
  readonly member: string
  readonly lanes: 'key' | 'partition'
  readonly deliver: (portion: readonly Recorded[], context: DeliveryContext) => Promise<void> | void
  /** With lanes by key: the event types that are handled; undefined: all. Events of others are settled unseen. */
  readonly types: ReadonlySet<string> | undefined
  readonly kindOf: (error: unknown) => FailureKind
  readonly startAt: ((partition: number) => Promise<Reached>) | undefined
  readonly elsewhere?: KeptElsewhere | undefined
  readonly gate: Gate | undefined
  /** Begins the work on a partition, where it is another one than handing events to `deliver`. */
  readonly begin?: (start: PartitionStart) => PartitionWork
  readonly clock: Clock
  readonly timers: Timers
  /** Time that never goes back, in ms. */
  readonly elapsedMs: () => number
  /** From 0 up to 1. */
  readonly random: () => number
  readonly tell: (news: ConsumerNews) => void
}
