import type { Recorded } from '@millrace/log'
import type { Delivery } from '../lane/delivery.ts'
import { createLane } from '../lane/create-lane.ts'
import type { Lane } from '../lane/lane.ts'
import type { StoredKey } from '../group-store.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { Fate } from './fate.ts'
import { feedSlot, type Feeder } from './feed-slot.ts'
import { IdleSlots } from './idle-slots.ts'
import { KeySlot } from './key-slot.ts'
import { LateRetries } from './late-retries.ts'
import { loadSlot } from './load-slot.ts'
import type { HeadStory } from './park-of.ts'
import { Offers } from './offers.ts'
import { type LaneHearer, SlotHooks } from './slot-hooks.ts'
import { lineUp, parkSlot } from './parking.ts'
import { type RunTally, tallyOf } from './run-tally.ts'

const nobody: readonly Delivery[] = []

/** What the lanes of a partition tell its engine. */
export interface LanesOwner {
  /** So many more deliveries wait for a commit. */
  settled(count: number): void
  /** Something can go on that could not before. */
  ready(): void
  /** A lane is over by an error. */
  failed(slot: KeySlot, delivery: Delivery | undefined, error: unknown): void
  /** What a key begins with is to be found out. */
  touch(slot: KeySlot): void
  /** What the store has of a key is known. */
  known(slot: KeySlot): void
  /** An event waits behind a timer that cannot be fired. */
  stuck(slot: KeySlot): void
  /** A delivery of a line that is run is settled. */
  moved(slot: KeySlot): void
}

/** The lanes of one partition, by key: made on demand, fed in order, given up when they have been idle for long. */
export class KeyLanes {
  /** What has been decided about deliveries that are to be handled no more. */
  readonly fates = new Map<Delivery, Fate>()
  readonly lateRetries = new LateRetries()
  /** Slots that the next commit speaks of. */
  dirty: KeySlot[] = []
  /** Slots whose record has to be loaded. */
  missing: KeySlot[] = []
  /** Slots with something unsettled in their lane. */
  readonly busy = new Set<KeySlot>()
  readonly #settings: EngineSettings
  readonly #owner: LanesOwner
  readonly #slots = new Map<string, KeySlot>()
  readonly #idle = new IdleSlots(this.#slots)
  readonly #mostBusy: number
  readonly #feeder: Feeder
  readonly #hearer: LaneHearer
  readonly #tally: RunTally
  #ready: KeySlot[] = []
  #closed = false
  /** The slot that is being fed: what it settles meanwhile wakes nobody. */
  #fed: KeySlot | undefined
  /** Settled since the feeding has begun. */
  #settledAtOnce = 0
  #intakes = 0

  constructor(settings: EngineSettings, owner: LanesOwner) {
    this.#settings = settings
    this.#owner = owner
    this.#tally = tallyOf(settings)
    this.#hearer = {
      settled: (slot, delivery, together) => this.#settled(slot, delivery, together),
      failed: (slot, delivery, error) => this.#failed(slot, delivery, error),
      ended: (slot) => this.#ended(slot),
    }
    this.#feeder = {
      settings,
      fates: this.fates,
      busy: this.busy,
      open: (slot) => this.#open(slot),
      wake: (slot) => this.wake(slot),
      touch: (slot) => owner.touch(slot),
      settled: (slot, delivery) => this.#settled(slot, delivery, nobody),
      failed: (slot, delivery, error) => owner.failed(slot, delivery, error),
    }
    this.#mostBusy =
      settings.processor.program.kind === 'handler' ? settings.atOnce : Number.POSITIVE_INFINITY
  }

  get size(): number {
    return this.#slots.size
  }

  get anyReady(): boolean {
    return this.#ready.length > 0
  }

  /** Keys whose head waits for its next attempt. */
  get backingOff(): number {
    return [...this.#slots.values()].filter(({ phase }) => phase === 'backing-off').length
  }

  /** A batch of events begins. */
  intake(): void {
    this.#intakes += 1
  }

  slotOf(key: string): KeySlot {
    let slot = this.#slots.get(key)
    if (slot === undefined) {
      slot = new KeySlot(key, this.#intakes)
      this.#idle.came(slot)
      this.missing.push(slot)
      this.#tally.misses += 1
    } else this.#tally.hits += 1
    slot.touched = this.#intakes
    return slot
  }

  /** Takes a delivery in, behind all others of its key. */
  take(slot: KeySlot, delivery: Delivery): void {
    const { parked } = slot
    if (parked !== undefined && (delivery.timer !== undefined || !parked.atEnd)) {
      this.fates.delete(delivery)
      if (!lineUp(parked, delivery)) return
      this.touch(slot)
      this.#owner.settled(1)
    } else {
      slot.waiting.push(delivery)
      if (slot.phase === 'open') this.wake(slot)
      else if (slot.stuck !== undefined) this.#owner.stuck(slot)
    }
  }

  /** What the store has of a key has arrived. */
  loaded(slot: KeySlot, stored: StoredKey, deferred: readonly Recorded[]): void {
    loadSlot(slot, stored, deferred, this.#settings.processor)
    if (slot.parked) for (const delivery of slot.waiting.drain()) this.take(slot, delivery)
    else if (slot.waiting.length > 0 || slot.beat) this.wake(slot)
    this.#owner.known(slot)
  }

  /** The deferred events of a key are offered again, although no event has come. */
  beat(slot: KeySlot): void {
    slot.beat = true
    if (slot.phase === 'open') this.wake(slot)
  }

  /** The slot may go on: it is fed with the next {@link feed}. */
  wake(slot: KeySlot): void {
    if (!slot.ready) this.#ready.push(slot)
    slot.ready = true
  }

  /** Feeds what can go on, at most so many deliveries; answers how many those were. */
  feed(most: number): number {
    if (this.#fed !== undefined) return 0
    this.#settledAtOnce = 0
    const beganMs = this.#settings.elapsedMs()
    let fed = 0
    let at = 0
    const ready = this.#ready
    this.#ready = []
    try {
      for (; at < ready.length && fed < most; at++) {
        const slot = ready[at] as KeySlot
        if (this.busy.size >= this.#mostBusy && !this.busy.has(slot)) break
        slot.ready = false
        this.#fed = slot
        fed += feedSlot(slot, most - fed, this.#feeder)
      }
    } finally {
      this.#fed = undefined
    }
    const together = this.#settledAtOnce
    if (together > 0) this.#tally.handled((this.#settings.elapsedMs() - beganMs) / together, together)
    if (at < ready.length) this.#ready = [...ready.slice(at), ...this.#ready]
    return fed
  }

  /** Ends the slot's lane and takes back what was unsettled in it, to be handled again. */
  recall(slot: KeySlot): void {
    const { lane } = slot
    if (lane === undefined) return
    lane.close()
    this.#retire(slot)
  }

  /** What is not settled of the key waits behind its head, and what comes later too. False: no event waits to be parked. */
  park(slot: KeySlot, story: HeadStory): boolean {
    this.recall(slot)
    const waiting = slot.waiting.drain()
    for (const delivery of waiting) this.fates.delete(delivery)
    const lined = parkSlot(slot, waiting, story)
    if (lined === undefined) {
      slot.waiting.putBack(waiting)
      return false
    }
    this.lateRetries.drop(waiting)
    slot.phase = 'parked'
    this.touch(slot)
    this.#owner.settled(lined)
    return true
  }

  /** The next commit speaks of the slot. */
  touch(slot: KeySlot): void {
    if (!slot.dirty) this.dirty.push(slot)
    slot.dirty = true
  }

  /** Gives idle lanes up when there are too many. */
  evict(committed: number): void {
    this.#idle.evict({ most: this.#settings.lanes, committed, intake: this.#intakes })
  }

  /** Gives everything up at once. */
  close(): void {
    this.#closed = true
    for (const slot of this.#slots.values()) slot.lane?.close()
    this.#idle.clear()
    this.busy.clear()
    this.fates.clear()
    this.lateRetries.clear()
    this.dirty = []
    this.missing = []
    this.#ready = []
  }

  #open(slot: KeySlot): Lane {
    const { processor, timers, clock } = this.#settings
    const { key, record } = slot
    return createLane(processor, { key, record, timers, clock, hooks: new SlotHooks(slot, this.#hearer) })
  }

  #failed(slot: KeySlot, delivery: Delivery | undefined, error: unknown): void {
    slot.tookMs = this.busy.has(slot) ? this.#settings.elapsedMs() - slot.headSinceMs : 0
    this.#retire(slot)
    if (!this.#closed) this.#owner.failed(slot, delivery, error)
  }

  #ended(slot: KeySlot): void {
    this.#retire(slot)
    if (slot.waiting.length > 0) this.wake(slot)
    this.#owner.ready()
  }

  #settled(slot: KeySlot, delivery: Delivery, together: readonly Delivery[]): void {
    if (this.#closed) return
    for (const before of together) slot.addSettled(before)
    slot.addSettled(delivery)
    if (slot.offers !== undefined || delivery.outcome === 'deferred')
      this.#noteDeferred(slot, [...together, delivery])
    if (slot.failures > 0) {
      slot.failures = 0
      slot.tries = []
      slot.ruledMs = undefined
    }
    if (!slot.dirty) this.touch(slot)
    if (this.#fed !== slot) {
      const lane = slot.lane
      const nowMs = this.#settings.elapsedMs()
      this.#tally.handled(nowMs - slot.headSinceMs, 1 + together.length)
      slot.headSinceMs = nowMs
      if (lane === undefined || lane.inHand === 0) this.busy.delete(slot)
      if ((slot.waiting.length > 0 || slot.beat) && slot.phase === 'open') this.wake(slot)
    } else {
      this.#settledAtOnce += 1 + together.length
      if (this.busy.size > 0 && slot.lane?.inHand === 0) this.busy.delete(slot)
    }
    this.#owner.settled(1 + together.length)
    if (slot.parked !== undefined) this.#owner.moved(slot)
  }

  #retire(slot: KeySlot): void {
    const { lane } = slot
    if (lane === undefined) return
    slot.record = lane.record
    slot.lane = undefined
    this.busy.delete(slot)
    // What was offered is offered again.
    slot.waiting.putBack(lane.unsettled.filter(({ origin }) => origin !== 'deferred'))
  }

  #noteDeferred(slot: KeySlot, settled: readonly Delivery[]): void {
    const { clock, deferMs } = this.#settings
    const offers = (slot.offers ??= new Offers())
    let more = false
    for (const one of settled) more = offers.settled(one, clock.now(), deferMs) || more
    // What comes next is to be handled before it is offered again: not side by side.
    if (more) this.recall(slot)
    // One that has found its precondition may be what an earlier one has waited for: no need to wait for the beat.
    else if (
      offers.any &&
      settled.some(({ origin, outcome }) => origin === 'deferred' && outcome !== 'deferred')
    )
      this.beat(slot)
  }
}
