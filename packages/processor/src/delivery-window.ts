import type { Recorded } from '@millrace/log'
import type { Reached } from './group-store.ts'

/** One event on its way through a handler. */
export interface Delivery {
  readonly recorded: Recorded
  /** Why it cannot be handled at all, when that is known on arrival. */
  readonly poison?: unknown
  /** Done, dead or not for this group: what the next commit may say. */
  settled: boolean
}

/**
 * What a member has in hand of one partition, in the order of the log: the position is the last event up to which
 * everything is settled, the cursor the last one that was read. In between lie at most `size` events.
 */
export class DeliveryWindow {
  readonly #size: number
  readonly #settledBefore: ReadonlySet<number>
  #deliveries: Delivery[] = []
  #head = 0
  #position: Reached
  #cursor: Reached

  constructor(start: Reached, ahead: readonly number[], size: number) {
    this.#position = this.#cursor = start
    this.#settledBefore = new Set(ahead)
    this.#size = size
  }

  get position(): Reached {
    return this.#position
  }

  get cursor(): Reached {
    return this.#cursor
  }

  get inHand(): number {
    return this.#deliveries.length - this.#head
  }

  get room(): number {
    return this.#size - this.inHand
  }

  /** Takes what was read; answers what has to be handled. */
  take(deliveries: readonly Delivery[]): readonly Delivery[] {
    for (const delivery of deliveries) {
      const { position } = delivery.recorded
      if (this.#settledBefore.has(position.seq)) delivery.settled = true
      this.#deliveries.push(delivery)
      this.#cursor = { id: position.id, seq: position.seq }
    }
    this.#advance()
    return deliveries.filter((delivery) => !delivery.settled)
  }

  settle(delivery: Delivery): void {
    delivery.settled = true
    this.#advance()
  }

  /** Sequence numbers that are settled beyond a position. */
  aheadOf(position: Reached): number[] {
    const ahead: number[] = []
    for (let at = this.#head; at < this.#deliveries.length; at++) {
      const delivery = this.#deliveries[at]
      if (delivery?.settled && delivery.recorded.position.seq > position.seq)
        ahead.push(delivery.recorded.position.seq)
    }
    return ahead
  }

  #advance(): void {
    for (;;) {
      const head = this.#deliveries[this.#head]
      if (!head?.settled) break
      this.#position = { id: head.recorded.position.id, seq: head.recorded.position.seq }
      this.#head += 1
    }
    // Kept as one array with a moving head: a shift for each event would move all others.
    if (this.#head > this.#size) {
      this.#deliveries = this.#deliveries.slice(this.#head)
      this.#head = 0
    }
  }
}
