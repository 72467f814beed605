import type { MonoTypeOperatorFunction, Subscriber } from 'rxjs'
import type { Place } from '../lane/current.ts'
import type { Kept } from '../lane/kept.ts'
import { assertMs, type Keeper, keeping } from './keeping.ts'

/**
 * `debounceTime` of RxJS, held: hands on a value after so many ms without another one. Those that a later one replaces
 * are done. The last one holds back the group's position meanwhile; for more than seconds, use `durableDebounce`.
 */
export function debounceTime<V>(ms: number): MonoTypeOperatorFunction<V> {
  assertMs('debounceTime()', ms)
  return keeping('debounceTime()', (place, behind) => new Debouncing<V>(ms, place, behind))
}

class Debouncing<V> implements Keeper<V> {
  readonly #ms: number
  readonly #place: Place
  readonly #behind: Subscriber<V>
  #pending: { readonly value: V; readonly kept: Kept; readonly cancel: () => void } | undefined

  constructor(ms: number, place: Place, behind: Subscriber<V>) {
    this.#ms = ms
    this.#place = place
    this.#behind = behind
  }

  next(value: V, kept: Kept): void {
    this.#pending?.cancel()
    this.#pending?.kept.release()
    const cancel = this.#place.lane.timers.set(this.#ms, () => this.#handOn())
    this.#pending = { value, kept, cancel }
  }

  complete(): void {
    this.#handOn()
    this.#behind.complete()
  }

  stop(): void {
    this.#pending?.cancel()
    this.#pending?.kept.drop()
    this.#pending = undefined
  }

  #handOn(): void {
    const pending = this.#pending
    if (pending === undefined) return
    this.#pending = undefined
    pending.cancel()
    pending.kept.handOn(() => this.#behind.next(pending.value))
  }
}
