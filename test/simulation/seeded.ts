/** Numbers from 0 up to 1 that follow from a seed (mulberry32), and choices made with them. */
export class Seeded {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** From 0 up to 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  /** One of several; undefined of none. */
  pick<T>(all: readonly T[]): T | undefined {
    return all[Math.floor(this.next() * all.length)]
  }

  /**
   * A temper: how much more or less than usual one seed has of something. Seeds that differ in what they have much of
   * find more than seeds that all have a little of everything (swarm testing).
   */
  temper(): number {
    return this.pick([0.2, 0.5, 1, 1, 2, 5]) ?? 1
  }

  /** One of several by their weights; those of weight 0 never. */
  weighted<T>(all: readonly (readonly [weight: number, what: T])[]): T | undefined {
    const sum = all.reduce((before, [weight]) => before + weight, 0)
    let left = this.next() * sum
    for (const [weight, what] of all) {
      left -= weight
      if (left < 0) return what
    }
    return undefined
  }
}
