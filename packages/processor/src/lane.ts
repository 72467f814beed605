import type { Delivery } from './delivery-window.ts'

/** The deliveries of one key, or of one partition for handlers of whole batches, in order. Only the head is handled. */
export class Lane {
  readonly key: string
  state: 'waiting' | 'running' | 'backing-off' = 'waiting'
  /** Failures in a row, of what is at the head. */
  failures = 0
  /** Attempts of the head that count. */
  attempts = 0
  /** A batch has failed: its events are handed over one by one, until one has gone through. */
  single = false
  readonly #queue: Delivery[] = []

  constructor(key: string) {
    this.key = key
  }

  get head(): Delivery | undefined {
    return this.#queue[0]
  }

  get length(): number {
    return this.#queue.length
  }

  push(delivery: Delivery): void {
    this.#queue.push(delivery)
  }

  /** The next deliveries to hand over, at most so many; they stay until they are settled. */
  portion(most: number): readonly Delivery[] {
    return this.#queue.slice(0, this.single ? 1 : most)
  }

  /** The portion at the head is settled: the next one starts from nothing. */
  settled(count: number): void {
    this.#queue.splice(0, count)
    this.failures = 0
    this.attempts = 0
  }
}
