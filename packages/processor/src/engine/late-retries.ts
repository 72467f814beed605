import type { Delivery } from '../lane/delivery.ts'
import { mostTries, type ParkTry } from '../parked-key.ts'

/** What a late letter has cost, and when it is tried again. */
export interface LateRetry {
  readonly attempts: number
  readonly tries: readonly ParkTry[]
  /** By elapsed time. */
  readonly notBeforeMs: number
}

/**
 * Late letters whose runs have failed and are made again: their keys go on meanwhile, because nothing is behind them that
 * could line up. Counts are a member's memory: after a hand-over they begin anew, as the letter still waits in the store.
 */
export class LateRetries {
  readonly #waiting = new Map<number, LateRetry>()
  /** Told when one is put off, with its pause. */
  onPutOff: (seq: number, delayMs: number) => void = () => undefined
  /** Told when the key of one is parked: it is in no hand any more, and the store has it. */
  onDropped: (seq: number) => void = () => undefined

  of(seq: number): LateRetry | undefined {
    return this.#waiting.get(seq)
  }

  /** All attempts of a letter, earliest first. */
  triesOf(seq: number, latest: readonly ParkTry[]): readonly ParkTry[] {
    return [...(this.of(seq)?.tries ?? []), ...latest].slice(-mostTries)
  }

  putOff(seq: number, retry: LateRetry, delayMs: number): void {
    this.#waiting.set(seq, retry)
    this.onPutOff(seq, delayMs)
  }

  /** These are in no lane any more, because their key is parked. */
  drop(deliveries: readonly Delivery[]): void {
    for (const { origin, recorded } of deliveries)
      if (origin === 'late' && recorded !== undefined) this.onDropped(recorded.position.seq)
  }

  settled(seq: number): void {
    this.#waiting.delete(seq)
  }

  clear(): void {
    this.#waiting.clear()
  }
}
