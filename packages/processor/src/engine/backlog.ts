import type { Delivery } from '../lane/delivery.ts'

/** Deliveries that wait before a lane, in order. */
export class Backlog {
  /** The first one, of which there is nearly always one at most: a list a key costs more than all else here. */
  #first: Delivery | undefined
  /** Those behind it. A moving head instead of shift(), which moves all others. */
  #others: Delivery[] | undefined
  #head = 0

  get length(): number {
    if (this.#first === undefined) return 0
    return this.#others === undefined ? 1 : 1 + this.#others.length - this.#head
  }

  get first(): Delivery | undefined {
    return this.#first
  }

  /** The first that came from the log, directly or by a parked line. */
  get firstEvent(): Delivery | undefined {
    if (this.#others === undefined || isOfLog(this.#first))
      return isOfLog(this.#first) ? this.#first : undefined
    for (let at = this.#head; at < this.#others.length; at++)
      if (isOfLog(this.#others[at])) return this.#others[at]
    return undefined
  }

  push(delivery: Delivery): void {
    if (this.#first === undefined) this.#first = delivery
    else if (this.#others === undefined) this.#others = [delivery]
    else this.#others.push(delivery)
  }

  shift(): Delivery | undefined {
    const first = this.#first
    const others = this.#others
    if (others === undefined) this.#first = undefined
    else {
      this.#first = others[this.#head++]
      if (this.#head >= others.length) this.#set(undefined)
    }
    return first
  }

  /** Puts deliveries back before all others. */
  putBack(deliveries: readonly Delivery[]): void {
    const [first, ...others] = deliveries
    if (first === undefined) return
    others.push(...this.drain())
    this.#first = first
    this.#set(others.length === 0 ? undefined : others)
  }

  /** Takes everything out. */
  drain(): readonly Delivery[] {
    if (this.#first === undefined) return []
    const all = [this.#first, ...(this.#others?.slice(this.#head) ?? [])]
    this.#first = undefined
    this.#set(undefined)
    return all
  }

  #set(others: Delivery[] | undefined): void {
    this.#others = others
    this.#head = 0
  }
}

function isOfLog(delivery: Delivery | undefined): boolean {
  return delivery?.origin === 'line' || (delivery?.origin === 'log' && delivery.recorded !== undefined)
}
