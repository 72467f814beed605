import type { KeySlot } from './key-slot.ts'

/** What decides whether a slot may go. */
export interface EvictOptions {
  /** So many slots are kept at most, as far as they are idle. */
  readonly most: number
  /** Number of the last commit that has come back. */
  readonly committed: number
  /** Number of the present intake. */
  readonly intake: number
}

/**
 * Gives idle slots up when there are many: where three quarters of the room are taken, those of keys that have come since
 * and only once, as soon as they are committed. So where each of many keys has one event, their slots die young, which
 * costs the garbage collector little, and those of keys that come again and again stay. When the room is full, any go,
 * the oldest first.
 */
export class IdleSlots {
  readonly #slots: Map<string, KeySlot>
  /** Those that have come, and that nothing was decided about; in their order. */
  #newcomers: KeySlot[] = []

  constructor(slots: Map<string, KeySlot>) {
    this.#slots = slots
  }

  came(slot: KeySlot): void {
    this.#slots.set(slot.key, slot)
    this.#newcomers.push(slot)
  }

  evict(options: EvictOptions): void {
    const enough = Math.floor(options.most * 0.75)
    if (this.#newcomers.length > 0) this.#evictNewcomers(options, enough)
    if (this.#slots.size > options.most) this.#evictAny(options, enough)
  }

  clear(): void {
    this.#slots.clear()
    this.#newcomers = []
  }

  #evictNewcomers(options: EvictOptions, enough: number): void {
    const before = this.#newcomers
    this.#newcomers = []
    for (const slot of before) {
      // Who came again stays, and so does who came while there was room.
      if (slot.came !== slot.touched || this.#slots.size <= enough) continue
      if (mayGo(slot, options)) this.#give(slot)
      else this.#newcomers.push(slot)
    }
  }

  #evictAny(options: EvictOptions, enough: number): void {
    for (const slot of this.#slots.values()) {
      if (this.#slots.size <= enough) return
      if (mayGo(slot, options)) this.#give(slot)
    }
  }

  #give(slot: KeySlot): void {
    slot.lane?.close()
    // It may be a newcomer that went with the others when the room was full, and another one of its key is here now.
    if (this.#slots.get(slot.key) === slot) this.#slots.delete(slot.key)
  }
}

function mayGo(slot: KeySlot, { committed, intake }: EvictOptions): boolean {
  return slot.idle && slot.touched !== intake && slot.inCommit <= committed
}
