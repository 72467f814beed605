/** Choices that follow from a source of numbers from 0 up to 1. */
export class Choices {
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  /** A number from 0 up to 1. */
  chance(): number {
    return this.#random()
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.#random() * (to - from + 1))
  }

  /** One of several. */
  oneOf<T>(all: readonly T[]): T {
    const one = all[Math.floor(this.#random() * all.length)]
    if (one === undefined) throw new TypeError('There is nothing to choose from')
    return one
  }
}
