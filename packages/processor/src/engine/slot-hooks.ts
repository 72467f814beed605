import type { Delivery } from '../lane/delivery.ts'
import type { LaneHooks } from '../lane/lane.ts'
import type { KeySlot } from './key-slot.ts'

/** Who is told what the lanes of a partition tell. */
export interface LaneHearer {
  settled(slot: KeySlot, delivery: Delivery, together: readonly Delivery[]): void
  failed(slot: KeySlot, delivery: Delivery | undefined, error: unknown): void
  ended(slot: KeySlot): void
}

/** The hooks of a key's lane: one object instead of a closure each, because lanes are many. */
export class SlotHooks implements LaneHooks {
  readonly #slot: KeySlot
  readonly #hearer: LaneHearer

  constructor(slot: KeySlot, hearer: LaneHearer) {
    this.#slot = slot
    this.#hearer = hearer
  }

  settled(delivery: Delivery, together: readonly Delivery[]): void {
    this.#hearer.settled(this.#slot, delivery, together)
  }

  failed(delivery: Delivery | undefined, error: unknown): void {
    this.#hearer.failed(this.#slot, delivery, error)
  }

  ended(): void {
    this.#hearer.ended(this.#slot)
  }
}
