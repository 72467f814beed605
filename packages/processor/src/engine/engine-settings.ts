import type { Clock, Topic } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import type { Backoff, RetryClock } from '@millrace/retry'
import type { ConsumerNews } from '../consumer-event.ts'
import type { Gate } from '../consumer-settings.ts'
import type { FailureKind } from '../failure-kind.ts'
import type { GroupStore } from '../group-store.ts'
import type { Timers } from '../lane/timers.ts'
import type { Processor } from '../model/processor.ts'
import type { DueBell } from './due-bell.ts'
import type { Withheld } from './withheld.ts'
import { type EffectBreakerBounds, effectBreakerBounds } from './effect-breaker.ts'

/** Bounds and times of a running processor; every field of `run`'s options has its default here. */
export interface EngineBounds {
  /** Most events in hand of one partition: how far others go on while one key fails. */
  readonly window: number
  /** Most deliveries of one key that its lane has in hand. */
  readonly laneWindow: number
  /** Most handlers that run at once in one partition, each for another key. Pipelines are bound by the window alone. */
  readonly atOnce: number
  /**
   * Lanes of a partition that are kept; idle ones beyond that are given up, and beyond three quarters of it those of keys
   * that have come once.
   */
  readonly lanes: number
  /** Settled deliveries of a partition after which a commit is due. */
  readonly commitEvery: number
  /** Most time in ms that a settled delivery waits for its commit to be sent. */
  readonly commitMs: number
  /**
   * Most deliveries of a partition that are handled, or being handled, and in no commit: what a crash repeats at most.
   * For handlers that do something outside, together with a `laneWindow` of 1. Infinity: the window.
   */
  readonly uncommitted: number
  /** Length of a lease in ms: how long a crash of a member holds its partitions up. */
  readonly leaseMs: number
  /** Pauses between the attempts of one event. */
  readonly retry: Backoff
  /** Attempts that an event may cost before `onExhausted` decides. */
  readonly attempts: number
  /** Retries of a delivery that are made in memory, within 250 ms, before its key is parked. */
  readonly quickRetries: number
  /** Parked keys of a partition whose lines are run at the same time. */
  readonly retriesAtOnce: number
  /** Parked keys of a partition that are begun to be run in a second. Infinity: no limit. */
  readonly retriesPerSecond: number
  /** How often the clock of retries is compared with the park records, in ms. */
  readonly retrySweepMs: number
  /** Most time of one attempt of a plain handler in ms; then its signal is aborted. Infinity: none. */
  readonly handlerTimeoutMs: number
  /** Most time in ms that a pipeline may hold an event back that nothing else is in the way of. Infinity: none. */
  readonly holdMs: number
  /** Most events that may be settled beyond one that holds the position back: then its key is parked. */
  readonly holdEvents: number
  /** How long an event may be deferred, in ms; then it is a dead letter. Infinity: for ever. */
  readonly deferMs: number
  /** How often deferred events are offered when no event of their key comes, in ms. */
  readonly deferBeatMs: number
  /** Most effects that are carried out at once, for each partition. */
  readonly effectsAtOnce: number
  /** Effects of a partition that may wait; with more of them no events are taken in. */
  readonly effectsWaiting: number
  readonly effectAttempts: number
  readonly effectRetry: Backoff
  /** When the breaker before an effect opens, how it probes, and how it lets go what has waited. */
  readonly effectBreaker: EffectBreakerBounds
  /** Most time of one attempt of an effect in ms. */
  readonly effectTimeoutMs: number
  /** Lag without progress for so many ms is a stall: no renewal, failed health. */
  readonly stalledMs: number
  /** How long a stop waits for handlers, in ms, before it aborts them. */
  readonly stopMs: number
}

export const engineBounds = {
  window: 2_000,
  laneWindow: 2_000,
  atOnce: 64,
  lanes: 10_000,
  commitEvery: 500,
  commitMs: 2,
  uncommitted: Number.POSITIVE_INFINITY,
  leaseMs: 15_000,
  retry: { firstMs: 200, maxMs: 30_000 },
  attempts: 10,
  quickRetries: 1,
  retriesAtOnce: 16,
  retriesPerSecond: Number.POSITIVE_INFINITY,
  retrySweepMs: 30_000,
  handlerTimeoutMs: 30_000,
  holdMs: 60_000,
  holdEvents: 1_000,
  deferMs: 7 * 24 * 3_600_000,
  deferBeatMs: 30_000,
  effectsAtOnce: 16,
  effectsWaiting: 5_000,
  effectAttempts: 10,
  effectRetry: { firstMs: 200, maxMs: 30_000 },
  effectBreaker: effectBreakerBounds,
  effectTimeoutMs: 30_000,
  stalledMs: 60_000,
  stopMs: 10_000,
} as const satisfies EngineBounds

/** Everything that the parts of a running processor need to know. */
export interface EngineSettings extends EngineBounds {
  readonly processor: Processor
  readonly log: Pick<EventLog, 'appendChannel' | 'channel' | 'read' | 'readKey'>
  readonly store: GroupStore
  /** What this member is called. */
  readonly member: string
  readonly retryClock: RetryClock
  readonly dueBell: DueBell
  /** Topics that are emitted to, by name. Those that are met on the way are added. */
  readonly targets: Map<string, Topic>
  /** Names of those that are known to take channels; the others prove it by taking the first one. */
  readonly taking: Set<string>
  readonly kindOf: (error: unknown) => FailureKind
  readonly gate: Gate | undefined
  readonly clock: Clock
  readonly timers: Timers
  /** Time that never goes back, in ms. */
  readonly elapsedMs: () => number
  /** From 0 up to 1. */
  readonly random: () => number
  readonly tell: (news: ConsumerNews) => void
  /** What does not go out of a partition; absent: everything goes. */
  readonly withheldIn?: (partition: number) => Withheld | undefined
}
