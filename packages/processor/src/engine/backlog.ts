import type { Delivery } from '../lane/delivery.ts'

/** Deliveries that wait before a lane, in order. */
export class Backlog {
  // A moving head instead of shift(), which moves all others.
  #items: Delivery[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  get first(): Delivery | undefined {
    return this.#items[this.#head]
  }

  /** The first that came from the log, directly or by a parked line. */
  get firstEvent(): Delivery | undefined {
    for (let at = this.#head; at < this.#items.length; at++)
      if (isOfLog(this.#items[at])) return this.#items[at]
    return undefined
  }

  push(delivery: Delivery): void {
    this.#items.push(delivery)
  }

  shift(): Delivery | undefined {
    const first = this.#items[this.#head]
    this.#head += 1
    if (this.#head >= this.#items.length) {
      this.#items = []
      this.#head = 0
    }
    return first
  }

  /** Puts deliveries back before all others. */
  putBack(deliveries: readonly Delivery[]): void {
    if (deliveries.length === 0) return
    this.#items = [...deliveries, ...this.#items.slice(this.#head)]
    this.#head = 0
  }

  /** Takes everything out. */
  drain(): readonly Delivery[] {
    const all = this.#items.slice(this.#head)
    this.#items = []
    this.#head = 0
    return all
  }
}

function isOfLog(delivery: Delivery | undefined): boolean {
  return delivery?.origin === 'line' || (delivery?.origin === 'log' && delivery.recorded !== undefined)
}
