import type { Delivery } from './delivery.ts'

const nobody: readonly Delivery[] = []

/** The deliveries of a lane that are not settled, in the order in which they came. */
export class Line {
  // A moving head instead of shift(), which moves all others.
  #items: (Delivery | undefined)[] = []
  #head = 0
  #tail = 0
  /** What was taken out with the last one, before it. */
  together: readonly Delivery[] = nobody

  get length(): number {
    return this.#tail - this.#head
  }

  get first(): Delivery | undefined {
    return this.#items[this.#head]
  }

  push(delivery: Delivery): void {
    this.#items[this.#tail++] = delivery
  }

  /**
   * Takes out what can be committed next: one delivery, or several that must be committed together because they went
   * into one value. Answers the last of them (the others are in `together`), or undefined while they are held.
   */
  take(): Delivery | undefined {
    let last = this.#items[this.#head]
    if (last === undefined || last.holds > 0) return undefined
    let end = this.#head
    for (let { reach } = last; last.place < reach; reach = Math.max(reach, last.reach)) {
      last = this.#items[++end]
      if (last === undefined || last.holds > 0) return undefined
    }
    this.together = end === this.#head ? nobody : this.all().slice(0, end - this.#head)
    while (this.#head <= end) this.#items[this.#head++] = undefined
    this.#shrink()
    return last
  }

  all(): Delivery[] {
    return this.#items.slice(this.#head, this.#tail).filter((delivery) => delivery !== undefined)
  }

  #shrink(): void {
    if (this.#head === this.#tail) this.#head = this.#tail = 0
    else if (this.#head > 64 && this.#head * 2 > this.#tail) {
      this.#items = this.#items.slice(this.#head, this.#tail)
      this.#tail -= this.#head
      this.#head = 0
    }
  }
}
