import { MillraceError } from '@millrace/event'
import type { Delivery } from '../lane/delivery.ts'
import { createLane } from '../lane/create-lane.ts'
import type { Lane } from '../lane/lane.ts'
import { decodeRecord } from '../model/key-record.ts'
import type { StoredKey } from '../group-store.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { Fate } from './fate.ts'
import { KeySlot } from './key-slot.ts'

/** What the lanes of a partition tell its engine. */
export interface LanesOwner {
  /** So many more deliveries wait for a commit. */
  settled(count: number): void
  /** Something can go on that could not before. */
  ready(): void
  /** A lane is over by an error. */
  failed(slot: KeySlot, delivery: Delivery | undefined, error: unknown): void
}

/** The lanes of one partition, by key: made on demand, fed in order, given up when they have been idle for long. */
export class KeyLanes {
  /** What has been decided about deliveries that are to be handled no more. */
  readonly fates = new Map<Delivery, Fate>()
  /** Slots that the next commit speaks of. */
  dirty: KeySlot[] = []
  /** Slots whose record has to be loaded. */
  missing: KeySlot[] = []
  /** Slots with something unsettled in their lane. */
  readonly busy = new Set<KeySlot>()
  readonly #settings: EngineSettings
  readonly #owner: LanesOwner
  readonly #slots = new Map<string, KeySlot>()
  readonly #mostBusy: number
  #ready: KeySlot[] = []
  #closed = false
  #feeding = false
  #intakes = 0

  constructor(settings: EngineSettings, owner: LanesOwner) {
    this.#settings = settings
    this.#owner = owner
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
    let count = 0
    for (const slot of this.#slots.values()) if (slot.phase === 'backing-off') count += 1
    return count
  }

  /** A batch of events begins. */
  intake(): void {
    this.#intakes += 1
  }

  slotOf(key: string): KeySlot {
    let slot = this.#slots.get(key)
    if (slot === undefined) {
      slot = new KeySlot(key)
      this.#slots.set(key, slot)
      this.missing.push(slot)
    }
    slot.touched = this.#intakes
    return slot
  }

  /** Takes a delivery in, behind all others of its key. */
  take(slot: KeySlot, delivery: Delivery): void {
    if (slot.phase === 'parked') this.#lineUp(slot, delivery)
    else {
      slot.waiting.push(delivery)
      if (slot.phase === 'open') this.wake(slot)
    }
  }

  /** What the store has of a key has arrived. */
  loaded(slot: KeySlot, stored: StoredKey): void {
    const { state, parked, deferred } = stored
    slot.deferred = deferred
    slot.seq = state?.seq ?? 0
    if (parked) {
      const { key, head, last, lined, note } = parked
      this.park(slot, { key, head, last, lined, note })
      return
    }
    slot.phase = 'open'
    slot.undecoded = state
    if (slot.waiting.length > 0) this.wake(slot)
  }

  /** The slot may go on: it is fed with the next {@link feed}. */
  wake(slot: KeySlot): void {
    if (slot.ready) return
    slot.ready = true
    this.#ready.push(slot)
  }

  /** Feeds what can go on, at most so many deliveries; answers how many those were. */
  feed(most: number): number {
    if (this.#feeding) return 0
    this.#feeding = true
    let fed = 0
    let at = 0
    const ready = this.#ready
    this.#ready = []
    try {
      for (; at < ready.length && fed < most; at++) {
        const slot = ready[at] as KeySlot
        if (this.#busyElsewhere(slot)) break
        slot.ready = false
        fed += this.#feedSlot(slot, most - fed)
      }
    } finally {
      this.#feeding = false
    }
    if (at < ready.length) this.#ready = [...ready.slice(at), ...this.#ready]
    return fed
  }

  /** Ends the slot's lane and takes back what was unsettled in it, to be handled again. */
  recall(slot: KeySlot): void {
    const { lane } = slot
    if (lane === undefined) return
    lane.close()
    this.#retire(slot, lane)
  }

  /** Everything of the key that is not settled waits behind its head, and what comes later too. */
  park(slot: KeySlot, park: NonNullable<KeySlot['parked']>): void {
    slot.phase = 'parked'
    slot.parked = { ...park }
    for (const delivery of slot.waiting.drain()) this.#lineUp(slot, delivery)
  }

  /** The next commit speaks of the slot. */
  touch(slot: KeySlot): void {
    if (slot.dirty) return
    slot.dirty = true
    this.dirty.push(slot)
  }

  /** Gives idle lanes up when there are too many, those that were not touched lately first. */
  evict(committed: number): void {
    const { lanes } = this.#settings
    if (this.#slots.size <= lanes) return
    const enough = Math.floor(lanes * 0.75)
    for (const slot of this.#slots.values()) {
      if (this.#slots.size <= enough) return
      if (!slot.idle || slot.touched === this.#intakes || slot.inCommit > committed) continue
      slot.lane?.close()
      this.#slots.delete(slot.key)
    }
  }

  /** Gives everything up at once. */
  close(): void {
    this.#closed = true
    for (const slot of this.#slots.values()) slot.lane?.close()
    this.#slots.clear()
    this.busy.clear()
    this.fates.clear()
    this.dirty = []
    this.missing = []
    this.#ready = []
  }

  #busyElsewhere(slot: KeySlot): boolean {
    return this.busy.size >= this.#mostBusy && !this.busy.has(slot)
  }

  #feedSlot(slot: KeySlot, most: number): number {
    const { waiting } = slot
    let fed = 0
    if (slot.undecoded !== undefined && !this.#decode(slot)) return 1
    while (waiting.length > 0 && fed < most && slot.phase === 'open') {
      const lane = (slot.lane ??= this.#open(slot))
      if (lane.inHand >= this.#settings.laneWindow) break
      const delivery = waiting.shift()
      if (delivery === undefined) break
      fed += 1
      this.#handOver(lane, delivery)
      // It may be over by now, and have thrown back what it had in hand.
      if (slot.lane !== lane) continue
      if (lane.inHand > 0 && !this.busy.has(slot)) {
        this.busy.add(slot)
        slot.headSinceMs = this.#settings.elapsedMs()
      }
    }
    // Cut short by its bounds: woken again when something of it is settled, or on the next round.
    if (waiting.length > 0 && slot.phase === 'open' && (slot.lane?.inHand ?? 0) === 0) this.wake(slot)
    return fed
  }

  #decode(slot: KeySlot): boolean {
    const first = slot.waiting.first
    if (slot.undecoded === undefined || first === undefined) return false
    try {
      slot.record = slot.base = decodeRecord(this.#settings.processor, slot.undecoded)
      slot.undecoded = undefined
      return true
    } catch (error) {
      // An event that is to be handled no more needs no state.
      if (this.fates.has(first)) {
        slot.waiting.shift()
        first.outcome = 'dead'
        this.#settled(slot, first, [])
        if (slot.waiting.length > 0) this.wake(slot)
      } else this.#owner.failed(slot, first, error)
      return false
    }
  }

  #handOver(lane: Lane, delivery: Delivery): void {
    if (this.fates.size > 0) {
      const fate = this.fates.get(delivery)
      if (fate !== undefined) {
        lane.pass(delivery, 'dead', messageOf(fate.error))
        return
      }
    }
    if (delivery.timer === undefined) lane.feed(delivery)
    else lane.fire(delivery)
  }

  #open(slot: KeySlot): Lane {
    const { processor, timers, clock } = this.#settings
    const lane = createLane(processor, {
      key: slot.key,
      record: slot.record,
      timers,
      clock,
      hooks: {
        settled: (delivery, together) => this.#settled(slot, delivery, together),
        failed: (delivery, error) => {
          this.#retire(slot, lane)
          if (!this.#closed) this.#owner.failed(slot, delivery, error)
        },
        ended: () => {
          this.#retire(slot, lane)
          if (slot.waiting.length > 0) this.wake(slot)
          this.#owner.ready()
        },
      },
    })
    return lane
  }

  #settled(slot: KeySlot, delivery: Delivery, together: readonly Delivery[]): void {
    if (this.#closed) return
    if (together.length > 0) slot.settled.push(...together)
    slot.settled.push(delivery)
    slot.failures = 0
    if (!slot.dirty) this.touch(slot)
    if (!this.#feeding) {
      const lane = slot.lane
      slot.headSinceMs = this.#settings.elapsedMs()
      if (lane === undefined || lane.inHand === 0) this.busy.delete(slot)
      if (slot.waiting.length > 0 && slot.phase === 'open') this.wake(slot)
    } else if (this.busy.size > 0 && slot.lane?.inHand === 0) this.busy.delete(slot)
    this.#owner.settled(1 + together.length)
  }

  #retire(slot: KeySlot, lane: Lane): void {
    slot.record = lane.record
    slot.lane = undefined
    this.busy.delete(slot)
    slot.waiting.putBack(lane.unsettled)
  }

  #lineUp(slot: KeySlot, delivery: Delivery): void {
    const seq = delivery.recorded?.position.seq
    const { parked } = slot
    this.fates.delete(delivery)
    // A timer of a parked key stays where it is: in the store.
    if (seq === undefined || parked === undefined) return
    if (seq > parked.last) {
      parked.last = seq
      parked.lined += 1
    }
    slot.linedUp.push(seq)
    this.touch(slot)
    this.#owner.settled(1)
  }
}

function messageOf(error: unknown): string {
  return error instanceof MillraceError || error instanceof Error ? error.message : String(error)
}
