import {
  type Clock,
  freshId,
  MillraceError,
  systemClock,
  systemElapsedMs,
  systemRandom,
  systemTimers,
  type Timers,
  type Topic,
} from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { createMemoryRetryClock, type RetryClock } from '@millrace/retry'
import { type ConsumerEvent, type ConsumerNews, tell } from '../consumer-event.ts'
import type { ConsumerHealth } from '../consumer-health.ts'
import type { Gate } from '../consumer-settings.ts'
import { type FailureKind, kindOfFailure } from '../failure-kind.ts'
import { GroupConsumer } from '../group-consumer.ts'
import type { GroupStore } from '../group-store.ts'
import type { KeptElsewhere } from '../kept-elsewhere.ts'
import type { Processor } from '../model/processor.ts'
import type { MemberList } from '../members/member-list.ts'
import { channelOf } from '../outbox.ts'
import { assertTakesChannels } from '../takes-channels.ts'
import { DeadBrake, type DeadLimit } from './dead-brake.ts'
import { DueBell } from './due-bell.ts'
import { dueListener } from './due-listener.ts'
import { type EngineBounds, engineBounds, type EngineSettings } from './engine-settings.ts'
import {
  type BeginHealth,
  type BeginOptions,
  expiryOf,
  GroupBeginning,
  type StartLog,
  startsOf,
} from './group-beginning.ts'
import { PartitionEngine } from './partition-engine.ts'

/** What a processor runs on; bounds have the defaults of {@link engineBounds}. */
export interface RunOptions extends Partial<EngineBounds>, BeginOptions {
  /** `tips` and `readAt` are needed where a group's beginning is named. */
  readonly log: Pick<EventLog, 'read' | 'readKey' | 'appendChannel' | 'channel'> & StartLog
  readonly store: GroupStore
  /**
   * The list by which the members of the group share the partitions evenly, and hand them over without a gap.
   * Default: none; whoever asks first for a free partition has it.
   */
  readonly members?: MemberList
  /** What this member is called in the store, for operators. Default: `member`. A random part is added. */
  readonly member?: string
  /**
   * The topics that the processor emits to. Needed to forward what an earlier run has left behind, before this one has
   * emitted anything there itself.
   */
  readonly emitsTo?: readonly Topic[]
  /** Says more of a failure than {@link kindOfFailure}. */
  readonly kindOf?: (error: unknown) => FailureKind
  /** Whether trying again can help, where {@link kindOfFailure} knows nothing better. Default: it can. */
  readonly retryable?: (error: unknown) => boolean
  /**
   * Says when parked keys are due. Default: one in memory, which is enough: owners look for records that it has
   * forgotten. One of the caller's hears this run alone, and is closed by the caller, after the stop.
   */
  readonly retryClock?: RetryClock
  /**
   * With more events given up or held than this by this member, in all its partitions together, it hands nothing over
   * until `resume`. Other members count for themselves. Default: no limit.
   */
  readonly deadLimit?: DeadLimit
  /** Closed, nothing is handed over: no attempts are spent, the lease is kept. */
  readonly gate?: Gate
  /** What the handler writes outside of the group's record, a view for one. */
  readonly elsewhere?: KeptElsewhere
  /** Hears what happens; must not throw. The same is published on the diagnostics channel `millrace.consumer`. */
  readonly observe?: (event: ConsumerEvent) => void
  readonly clock?: Clock
  readonly timers?: Timers
  /** Time that never goes back, in ms. */
  readonly elapsedMs?: () => number
  /** From 0 up to 1. Spreads pauses. */
  readonly random?: () => number
  /** Makes the random part of the member's name: each time another one, everywhere. Default: {@link freshId}. */
  readonly freshName?: () => string
}

/** A processor that runs. */
export interface Running {
  health(): ConsumerHealth & BeginHealth
  /** Goes on after `deadLimit` has stopped it. */
  resume(): void
  /**
   * Reads no more, lets the handlers end (up to `stopMs`, then their signals are aborted), commits and gives the
   * leases back. May be called again: it is the same stop.
   */
  stop(): Promise<void>
}

/**
 * Runs a processor as a member of its group, from now on until its stop: each event is handled in order for its key,
 * and what came of it is committed exactly once. See docs/state-machines.md for what each crash leaves behind.
 *
 * @throws MillraceError `topic.guarded` when a topic that it emits to has uniqueness constraints; `position.invalid`
 */
export async function run<T extends Topic, S>(
  processor: Processor<T, S>,
  options: RunOptions,
): Promise<Running> {
  const { topic, name: group } = processor
  const { timers = systemTimers, clock = systemClock, freshName = freshId, observe } = options
  const { elapsedMs = systemElapsedMs, random = systemRandom } = options
  const member = `${options.member ?? 'member'}-${freshName()}`
  // Says early that names are too long.
  channelOf({ topic, partition: topic.partitions - 1, group })
  for (const target of options.emitsTo ?? []) await assertTakesChannels(options.log, target)
  const brake = new DeadBrake(options.deadLimit, options.gate, clock)
  const gate = options.deadLimit ? brake : options.gate
  const share = (news: ConsumerNews) => {
    brake.hear(news)
    tell({ topic: topic.name, group, member, ...news }, observe)
  }
  const starts = await startsOf(options.log, topic, options)
  const expireMs = expiryOf(options, options.leaseMs ?? engineBounds.leaseMs)
  if (expireMs !== undefined && options.members)
    throw new TypeError('An ephemeral group has no list of members')
  const begins = new GroupBeginning(options.store, { starts, expireMs, tell: share })
  const { store } = begins
  const retryClock = options.retryClock ?? createMemoryRetryClock({ clock, timers })
  const dueBell = new DueBell()
  retryClock.onDue(dueListener({ topic, group }, { store, clock, bell: dueBell }))
  const settings: EngineSettings = {
    ...engineBounds,
    ...boundsIn(options),
    processor: withoutTypes(processor),
    log: options.log,
    ...{ store, member, retryClock, dueBell },
    withheldIn: (partition) => begins.withheldIn(partition),
    targets: new Map(options.emitsTo?.map((target) => [target.name, target])),
    taking: new Set(options.emitsTo?.map((target) => target.name)),
    kindOf: kindsOf(options),
    gate,
    ...{ clock, timers, elapsedMs, random },
    tell: share,
  }
  const { window, leaseMs, stalledMs, stopMs } = settings
  const consumer = new GroupConsumer({
    ...{ window, leaseMs, stalledMs, stopMs },
    log: options.log,
    store,
    members: options.members,
    topic,
    group,
    member,
    elsewhere: options.elsewhere,
    gate,
    ...{ timers, elapsedMs, random },
    tell: settings.tell,
    begin: (start) => new PartitionEngine(settings, start),
  })
  return {
    health: () => ({ ...brake.explain(consumer.health()), ...begins.health() }),
    resume: () => brake.release(),
    async stop() {
      await consumer.stop()
      if (options.retryClock === undefined) await retryClock.close()
    },
  }
}

// What is wrong with what an event leads to stays wrong as well.
const fatal: ReadonlySet<string> = new Set(['state.too-large'])

function kindsOf({ kindOf, retryable }: RunOptions): (error: unknown) => FailureKind {
  return (error) => {
    if (kindOf !== undefined) return kindOf(error)
    if (error instanceof MillraceError && fatal.has(error.code)) return 'permanent'
    const kind = kindOfFailure(error)
    return kind === 'retry' && retryable?.(error) === false ? 'permanent' : kind
  }
}

// The codec checks what is handed over against the types of the topic; from here on nobody knows them.
function withoutTypes<T extends Topic, S>(processor: Processor<T, S>): Processor {
  return processor as Processor<Topic, unknown> as Processor
}

function boundsIn(options: Partial<EngineBounds>): Partial<EngineBounds> {
  const given = Object.keys(engineBounds).filter((name) => Object.hasOwn(options, name))
  return Object.fromEntries(given.map((name) => [name, options[name as keyof EngineBounds]]))
}
