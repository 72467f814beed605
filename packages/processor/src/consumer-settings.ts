import type { Timers, Topic } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import type { ConsumerNews } from './consumer-event.ts'
import type { GroupStore } from './group-store.ts'
import type { KeptElsewhere } from './kept-elsewhere.ts'
import type { MemberList } from './members/member-list.ts'
import type { PartitionStart, PartitionWork } from './partition-work.ts'

/** A door before all handlers: while it is closed nothing is handed over, and that is no failure and no stall. */
export interface Gate {
  readonly open: boolean
  /** Resolves when it may be tried to hand something over: once per call while the gate is closed still. */
  opened(signal: AbortSignal): Promise<void>
}

/** Everything that a member of a group needs to know, whatever it does with its partitions. */
export interface ConsumerSettings {
  readonly log: Pick<EventLog, 'read'>
  readonly store: GroupStore
  /** Undefined: nobody agrees on anything, each member tries for every partition. */
  readonly members: MemberList | undefined
  readonly topic: Topic
  readonly group: string
  readonly member: string
  /** Most events in hand of one partition. */
  readonly window: number
  /** Length of a lease in ms: how long a crash of a member holds its partitions up. */
  readonly leaseMs: number
  /** Lag without progress for so many ms is a stall: no renewal, failed health. */
  readonly stalledMs: number
  /** How long a stop, or the hand-over of a partition, waits for handlers, in ms, before it aborts them. */
  readonly stopMs: number
  readonly elsewhere: KeptElsewhere | undefined
  readonly gate: Gate | undefined
  /** Begins the work on a partition. */
  readonly begin: (start: PartitionStart) => PartitionWork
  readonly timers: Timers
  /** Time that never goes back, in ms. */
  readonly elapsedMs: () => number
  /** From 0 up to 1. */
  readonly random: () => number
  readonly tell: (news: ConsumerNews) => void
}
