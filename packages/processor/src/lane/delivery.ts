import type { Event, Scope } from '@millrace/event'
import { type Recorded, recordedMsOf } from '@millrace/log'
import type { Cause, KeyRecord } from '../model/key-record.ts'
import type { Ruling } from '../ruling.ts'
import type { StoryNote } from '../story/story-fact.ts'
import type { DueTimer, EffectIntent, Emit, Outcome, TimerChange } from '../model/outcome.ts'
import type { DeliverySpan } from './delivery-trace.ts'
import type { LaneCore } from './lane-core.ts'
import type { Load } from './load.ts'

/**
 * One event, or one firing of a durable timer, on its way through a lane, with the outcomes that it has brought about.
 * Made by the engine, fed to a lane, and fed again to another one when that lane is over before it was settled;
 * what an earlier lane recorded is forgotten then. The engine reads it once it is settled and changes nothing.
 *
 * It is the scope that it is handled in, too: an object for each event that most never ask costs too much.
 */
export class Delivery implements Load, Scope {
  readonly key: string
  /** The event, at the present version of its type; undefined for a firing. */
  readonly recorded: Recorded | undefined
  /** The firing; undefined for an event. */
  readonly timer: DueTimer | undefined
  /** 1 for the first attempt; the engine counts. */
  attempt = 1
  /**
   * Where it comes from: read behind the cursor, out of the line of a parked key, out of the deferred events of its
   * key, or a requeued dead letter.
   */
  origin: 'log' | 'line' | 'deferred' | 'late' = 'log'
  /** The operator's ruling that it is handled under. */
  ruling: Ruling | undefined

  /** All holds are released, and so are those of every delivery before it in its lane: it may be committed. */
  settled = false
  outcome: Outcome = 'done'
  /** Why it was deferred or given up. */
  why: string | undefined
  /** It was deferred, and its type says that it is done, or dead, instead. */
  unmet = false
  /** The key's record after it; undefined when it changed nothing. */
  after: KeyRecord | undefined
  emits: Emit[] | undefined
  effects: EffectIntent[] | undefined
  timers: TimerChange[] | undefined
  /** What its handler says of it. */
  notes: readonly StoryNote[] | undefined

  /** What its outcomes derive from: the event, or for a firing what it has when its operator is known. */
  cause: Cause | undefined
  /** Its number in the lane, from 1. */
  place = 0
  /** Who keeps it from being settled: the lane while it is handed over, operators for values of it that they keep. */
  holds = 0
  /** Place of the delivery without which it must not be committed, because both went into one value. */
  reach = 0
  lane: LaneCore | undefined
  /** Its present attempt, while somebody traces it. */
  span: DeliverySpan | undefined
  /** The trace context of the attempt that has settled it, if that is recorded: what a commit refers to. */
  traced: string | undefined

  private constructor(key: string, recorded: Recorded | undefined, timer: DueTimer | undefined) {
    this.key = key
    this.recorded = recorded
    this.timer = timer
  }

  static ofEvent(recorded: Recorded): Delivery {
    return new Delivery(recorded.event.subject, recorded, undefined)
  }

  static ofTimer(key: string, timer: DueTimer): Delivery {
    return new Delivery(key, undefined, timer)
  }

  /** Taken in by a lane, which is handing it over. What an earlier lane made of it is forgotten. */
  enter(lane: LaneCore, place: number): void {
    if (this.lane !== undefined) this.#forget()
    this.lane = lane
    this.place = place
    this.holds = 1
  }

  /** What outcomes are recorded on: itself. */
  get delivery(): Delivery {
    return this
  }

  get event(): Event | undefined {
    return this.recorded?.event
  }

  /** Of its event; of a firing that of the event that has set the timer, and empty until its operator is known. */
  get correlationId(): string {
    return this.event?.correlationid ?? this.cause?.correlationid ?? ''
  }

  get causationId(): string | undefined {
    return this.event?.id ?? this.cause?.eventId
  }

  get traceparent(): string | undefined {
    return this.span?.traceparent ?? this.event?.traceparent ?? this.cause?.traceparent
  }

  /** When it came to be, in ms since the epoch: recorded by the log, or due. The same on every replay. */
  get timeMs(): number {
    return this.timer === undefined ? recordedMsOf(this.recorded?.position.id ?? '0-0') : this.timer.dueMs
  }

  #forget(): void {
    this.settled = false
    this.outcome = 'done'
    this.why = undefined
    this.unmet = false
    this.after = undefined
    this.emits = undefined
    this.effects = undefined
    this.timers = undefined
    this.notes = undefined
    this.cause = undefined
    this.reach = 0
    this.span = undefined
    this.traced = undefined
  }
}
