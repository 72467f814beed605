import type { Clock } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import type { Timers } from '../lane/timers.ts'
import type { Processor } from '../model/processor.ts'
import type { EmitComparison } from './emit-comparison.ts'
import type { GenerationStore } from './generations.ts'

/** Bounds and times of a replay; every field of `replay`'s options has its default here. */
export interface ReplayBounds {
  /** Most events of one commit. */
  readonly page: number
  /** Keys of a partition that are kept in memory. */
  readonly keys: number
  /** Most keys that are folded at once in one partition. */
  readonly atOnce: number
  /** Partitions that are replayed at once. */
  readonly partitions: number
  /** Attempts that an event may cost. */
  readonly attempts: number
  /** Length of its leases in ms: how long a killed replay keeps the next one waiting, or a frozen partition its owner. */
  readonly leaseMs: number
  /** How many events it may be behind when it freezes a partition to switch it. */
  readonly near: number
}

export const replayBounds = {
  page: 1_000,
  keys: 10_000,
  atOnce: 64,
  partitions: 4,
  attempts: 3,
  leaseMs: 10_000,
  near: 1_000,
} as const satisfies ReplayBounds

/** Everything that the parts of a replay need to know. */
export interface ReplaySettings extends ReplayBounds {
  readonly processor: Processor
  readonly log: Pick<EventLog, 'read' | 'readKey' | 'tips'>
  readonly store: GenerationStore
  /** Undefined: emits are counted, and not compared. */
  readonly emits: EmitComparison | undefined
  readonly member: string
  readonly clock: Clock
  readonly timers: Timers
  readonly elapsedMs: () => number
  readonly signal: AbortSignal | undefined
  /** So many more events are folded. */
  readonly folded: (partition: number, position: number, events: number) => void
  readonly counts: { effects: number; emits: number }
}
