import {
  type Clock,
  type EventOf,
  freshId,
  systemClock,
  systemElapsedMs,
  systemRandom,
  systemTimers,
  type Topic,
} from '@millrace/event'
import type { EventLog, Position, Recorded } from '@millrace/log'
import { type ConsumerEvent, tell } from './consumer-event.ts'
import type { ConsumerHealth } from './consumer-health.ts'
import {
  type ConsumerBounds,
  consumerBounds,
  type ConsumerSettings,
  type DeliveryContext,
  type Gate,
} from './consumer-settings.ts'
import { type FailureKind, kindOfFailure } from './failure-kind.ts'
import { GroupConsumer } from './group-consumer.ts'
import { assertGroupName, type GroupStore, type Reached } from './group-store.ts'
import type { MemberList } from './members/member-list.ts'

/** An event as a handler gets it: at the present version of its type, with its place on the log. */
export interface Delivered<T extends Topic = Topic> {
  readonly event: EventOf<T>
  readonly position: Position
}

/** What every consumer is made of; bounds have the defaults of {@link consumerBounds}. */
export interface ConsumeBase<T extends Topic> extends Partial<ConsumerBounds> {
  readonly log: Pick<EventLog, 'read'>
  readonly store: GroupStore
  /**
   * The list by which the members of the group share the partitions evenly, and hand them over without a gap.
   * Default: none; whoever asks first for a free partition has it.
   */
  readonly members?: MemberList
  readonly topic: T
  /** Lower case letters, digits and dashes. Members with the same group share the partitions. */
  readonly group: string
  /** What this member is called in the store, for operators. Default: `member`. A random part is added. */
  readonly member?: string
  /** Says more of a failure than {@link kindOfFailure}. */
  readonly kindOf?: (error: unknown) => FailureKind
  /** Where a partition is to be read from, when the handler knows it better than the group: a view's checkpoint. */
  readonly startAt?: (partition: number) => Promise<Reached>
  /** Closed, nothing is handed over: no attempts are spent, the lease is kept. */
  readonly gate?: Gate
  readonly clock?: Clock
  /** Hears what happens; must not throw. The same is published on the diagnostics channel {@link consumerChannel}. */
  readonly observe?: (event: ConsumerEvent) => void
}

/** One event at a time: in order for each key, different keys at once. */
export interface ConsumeByKey<T extends Topic> extends ConsumeBase<T> {
  readonly handle: (delivered: Delivered<T>, context: DeliveryContext) => Promise<void> | void
  /** The types to handle; events of others count as settled. Default: all of the topic. */
  readonly types?: readonly (keyof T['types'] & string)[]
}

/** Whole batches of a partition, in the order of the log and one at a time: every event, as it lies there. */
export interface ConsumeBatches<T extends Topic> extends ConsumeBase<T> {
  readonly handleBatch: (batch: readonly Recorded[], context: DeliveryContext) => Promise<void> | void
}

/** A consumer that runs. */
export interface Consumer {
  /** Handled events that a crash can repeat at most, for each partition. */
  readonly repeatsAtMost: number
  health(): ConsumerHealth
  /**
   * Reads no more, lets the handlers end (up to `stopMs`, then their signals are aborted), commits and gives the
   * leases back. May be called again: it is the same stop.
   */
  stop(): Promise<void>
}

/**
 * Handles the events of a topic as a member of a group, from now on until its stop. At least once: see
 * docs/state-machines.md for what each crash leaves behind.
 */
export function consume<T extends Topic>(options: ConsumeByKey<T> | ConsumeBatches<T>): Consumer {
  assertGroupName(options.group)
  const { topic, group } = options
  const member = `${options.member ?? 'member'}-${freshId()}`
  const byKey = 'handle' in options
  const settings: ConsumerSettings = {
    ...consumerBounds,
    ...boundsIn(options),
    log: options.log,
    store: options.store,
    members: options.members,
    topic,
    group,
    member,
    lanes: byKey ? 'key' : 'partition',
    deliver: byKey ? oneByOne(options) : options.handleBatch,
    types: byKey && options.types ? new Set(options.types) : undefined,
    kindOf: options.kindOf ?? kindOfFailure,
    startAt: options.startAt,
    gate: options.gate,
    clock: options.clock ?? systemClock,
    timers: systemTimers,
    elapsedMs: systemElapsedMs,
    random: systemRandom,
    tell: (news) => tell({ topic: topic.name, group, member, ...news }, options.observe),
  }
  const consumer = new GroupConsumer(settings)
  return {
    repeatsAtMost: settings.commitEvery + (byKey ? settings.concurrency : settings.batch),
    health: () => consumer.health(),
    stop: () => consumer.stop(),
  }
}

function oneByOne<T extends Topic>({ handle }: ConsumeByKey<T>): ConsumerSettings['deliver'] {
  return async (portion, context) => {
    // A portion of a key is one event, which the run has brought to its present version.
    for (const recorded of portion) await handle(recorded as Delivered<T>, context)
  }
}

function boundsIn(options: Partial<ConsumerBounds>): Partial<ConsumerBounds> {
  const given = Object.keys(consumerBounds).filter((name) => Object.hasOwn(options, name))
  return Object.fromEntries(given.map((name) => [name, options[name as keyof ConsumerBounds]]))
}
