import type { MonoTypeOperatorFunction, Subscriber } from 'rxjs'
import type { Place } from '../lane/current.ts'
import type { Kept } from '../lane/kept.ts'
import { assertMs, type Keeper, keeping } from './keeping.ts'

/** Which values of a period {@link throttleTime} hands on. */
export interface ThrottleOptions {
  /** The first one. Default true. */
  readonly leading?: boolean
  /** The last one, at the end of the period. Default false. */
  readonly trailing?: boolean
}

/** `throttleTime` of RxJS, held: at most one value (or two) in so many ms. Those that it leaves out are done. */
export function throttleTime<V>(ms: number, options: ThrottleOptions = {}): MonoTypeOperatorFunction<V> {
  assertMs('throttleTime()', ms)
  const { leading = true, trailing = false } = options
  return keeping(
    'throttleTime()',
    (place, behind) => new Throttling<V>(ms, { leading, trailing }, place, behind),
  )
}

class Throttling<V> implements Keeper<V> {
  readonly #ms: number
  readonly #options: Required<ThrottleOptions>
  readonly #place: Place
  readonly #behind: Subscriber<V>
  #pending: { readonly value: V; readonly kept: Kept } | undefined
  /** Ends the period that runs. */
  #cancel: (() => void) | undefined
  #complete = false

  constructor(ms: number, options: Required<ThrottleOptions>, place: Place, behind: Subscriber<V>) {
    this.#ms = ms
    this.#options = options
    this.#place = place
    this.#behind = behind
  }

  next(value: V, kept: Kept): void {
    if (this.#cancel === undefined && this.#options.leading) {
      this.#begin()
      kept.handOn(() => this.#behind.next(value))
      return
    }
    if (this.#cancel === undefined) this.#begin()
    if (this.#options.trailing) {
      this.#pending?.kept.release()
      this.#pending = { value, kept }
    } else kept.release()
  }

  complete(): void {
    this.#complete = true
    if (this.#pending === undefined) this.#behind.complete()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#pending?.kept.drop()
    this.#pending = undefined
  }

  #begin(): void {
    this.#cancel = this.#place.lane.timers.set(this.#ms, () => this.#end())
  }

  #end(): void {
    this.#cancel = undefined
    const pending = this.#pending
    if (pending === undefined) return
    this.#pending = undefined
    // What is handed on at the end of a period begins the next one.
    this.#begin()
    pending.kept.handOn(() => {
      this.#behind.next(pending.value)
      if (this.#complete) this.#behind.complete()
    })
  }
}
