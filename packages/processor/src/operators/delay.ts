import type { MonoTypeOperatorFunction, Subscriber } from 'rxjs'
import type { Place } from '../lane/current.ts'
import type { Kept } from '../lane/kept.ts'
import { assertMs, type Keeper, keeping } from './keeping.ts'

/**
 * `delay` of RxJS, held: hands each value on after so many ms; until then its event is not settled and holds back the
 * group's position. For more than seconds, use `durableDelay`.
 */
export function delay<V>(ms: number): MonoTypeOperatorFunction<V> {
  assertMs('delay()', ms)
  return keeping('delay()', (place, behind) => new Delaying<V>(ms, place, behind))
}

class Delaying<V> implements Keeper<V> {
  readonly #ms: number
  readonly #place: Place
  readonly #behind: Subscriber<V>
  /** What is kept, with the way to cancel its timer. */
  readonly #pending = new Map<Kept, () => void>()
  #complete = false

  constructor(ms: number, place: Place, behind: Subscriber<V>) {
    this.#ms = ms
    this.#place = place
    this.#behind = behind
  }

  next(value: V, kept: Kept): void {
    const cancel = this.#place.lane.timers.set(this.#ms, () => {
      this.#pending.delete(kept)
      kept.handOn(() => {
        this.#behind.next(value)
        this.#completeWhenEmpty()
      })
    })
    this.#pending.set(kept, cancel)
  }

  complete(): void {
    this.#complete = true
    this.#completeWhenEmpty()
  }

  stop(): void {
    for (const [kept, cancel] of this.#pending) {
      cancel()
      kept.drop()
    }
    this.#pending.clear()
  }

  #completeWhenEmpty(): void {
    if (this.#complete && this.#pending.size === 0) this.#behind.complete()
  }
}
