import type { DeferredEvent } from '../deferred-event.ts'
import type { Delivery } from '../lane/delivery.ts'
import type { Lane } from '../lane/lane.ts'
import type { AsOf } from '../migrated-key.ts'
import { emptyRecord, type KeyRecord } from '../model/key-record.ts'
import type { ParkTry } from '../parked-key.ts'
import type { NotedFact } from '../story/story-fact.ts'
import type { StoredState } from '../stored-state.ts'
import { Backlog } from './backlog.ts'
import type { HoldPlan } from './failures.ts'
import type { TakenOver } from './key-toucher.ts'
import type { Offers } from './offers.ts'
import type { ParkedLine } from './parked-line.ts'

const nothing: readonly NotedFact[] = []
/** Shared, and never added to. */
const nobody: Delivery[] = []

/** A key in a member's hand: its lane, what waits before it, what has come out of it, and what is stored of it. */
export class KeySlot {
  // What each event looks at comes first: members have many slots, and each piece of one is fetched from memory anew.
  readonly key: string
  /**
   * loading ─▶ open ◀─▶ backing-off (a failed delivery waits for its next attempt) ─▶ parked ◀─▶ open (its line is run)
   */
  phase: 'loading' | 'open' | 'backing-off' | 'parked' = 'loading'
  lane: Lane | undefined
  /** Not handed over yet, in order. */
  readonly waiting = new Backlog()
  /** Settled, and no commit carries it yet; in order. */
  settled: Delivery[] = nobody
  /** It stands among those that the next commit speaks of. */
  dirty = false
  /** It stands among those that can go on. */
  ready = false
  /** The last intake that touched it. */
  touched = 0
  /** The record as it was loaded, until it is needed. */
  undecoded: StoredState | undefined
  /** It has no record that it can begin with: that is found out before its first event. */
  untouched = false
  /** Events up to then are in what it was taken over with. */
  asOf: AsOf | undefined
  /** The same with what is settled since, ready to be handled; undefined: there are none. */
  offers: Offers | undefined
  /** Deferred events are to be offered although no event has come. */
  beat = false
  /** Failures in a row. */
  failures = 0
  parked: ParkedLine | undefined
  /** Number of the last commit that speaks of it. */
  inCommit = 0
  /** Settled ones that stay until the next event of its line is known. */
  heldBack = 0
  /** Sequence number of the last event of the key that a commit carries. */
  seq = 0
  /** The record that the last commit left. */
  base: KeyRecord = emptyRecord
  /** The record after everything that is settled and no living lane knows better. */
  record: KeyRecord = emptyRecord
  /** What was found out, and no commit carries yet. */
  taken: TakenOver | undefined
  /** Deferred events as the last commit has left them. */
  deferred: readonly DeferredEvent[] = []
  firstFailedMs = 0
  /** Failed attempts on the first unsettled delivery, earliest first. */
  tries: readonly ParkTry[] = []
  /** Failed attempts that no commit has told of. */
  untold: readonly NotedFact[] = nothing
  /** When the ruling was made that it is tried under. */
  ruledMs: number | undefined
  /** A timer of it cannot be fired, and no event waits behind it: how it is parked when one comes. */
  stuck: { readonly error: unknown; readonly plan: HoldPlan } | undefined
  /** How long the last failed attempt took, in ms. */
  tookMs = 0
  /** When the first delivery in the lane became the first, in ms of elapsed time. */
  headSinceMs = 0
  /** The intake that brought it. */
  readonly came: number

  constructor(key: string, came: number) {
    this.key = key
    this.came = came
  }

  addSettled(delivery: Delivery): void {
    // Most have one at most: a list that grows takes room for seventeen. Not `[delivery]`: V8 puts what such a place of
    // the program makes into the old generation once much of it has lived on, where it keeps alive all that it names.
    if (this.settled.length === 0) this.settled = Array.of(delivery)
    else this.settled.push(delivery)
  }

  /** The first ones are in a commit, or handled again. */
  dropSettled(count: number): void {
    this.settled = count === this.settled.length ? nobody : this.settled.slice(count)
  }

  /** Nothing of it is under way. */
  get idle(): boolean {
    return (
      this.waiting.length === 0 &&
      !this.dirty &&
      (this.phase === 'open' || (this.phase === 'parked' && this.parked?.run === undefined)) &&
      (this.lane === undefined || this.lane.inHand === 0)
    )
  }
}
