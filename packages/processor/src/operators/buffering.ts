import type { Subscriber } from 'rxjs'
import type { Place } from '../lane/current.ts'
import { Kept } from '../lane/kept.ts'
import { Batch, type Load } from '../lane/load.ts'
import type { Keeper } from './keeping.ts'

/** Gathers values until there are so many, or until so much time has passed since the first of them. */
export class Buffering<V> implements Keeper<V> {
  readonly #size: number
  readonly #ms: number
  readonly #place: Place
  readonly #behind: Subscriber<V[]>
  #values: V[] = []
  #kept: Kept[] = []
  #cancel: (() => void) | undefined

  constructor(size: number, ms: number, place: Place, behind: Subscriber<V[]>) {
    this.#size = size
    this.#ms = ms
    this.#place = place
    this.#behind = behind
  }

  next(value: V, kept: Kept): void {
    this.#values.push(value)
    this.#kept.push(kept)
    if (this.#values.length >= this.#size) this.#handOn()
    else this.#cancel ??= this.#place.lane.timers.set(this.#ms, () => this.#handOn())
  }

  complete(): void {
    this.#handOn()
    this.#behind.complete()
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const all = this.#kept
    this.#kept = []
    this.#values = []
    for (const kept of all) kept.drop()
  }

  #handOn(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const values = this.#values
    const [first, ...others] = this.#kept
    if (first === undefined) return
    this.#values = []
    this.#kept = []
    const load: Load =
      others.length === 0
        ? first.handOver()
        : new Batch([first.handOver(), ...others.map((kept) => kept.handOver())])
    new Kept(this.#place, load).handOn(() => this.#behind.next(values))
  }
}

/** Checks a number of values. Throws a TypeError: a wrong one is a mistake in code. */
export function assertSize(name: string, size: number): void {
  if (!Number.isInteger(size) || size < 1)
    throw new TypeError(`${name} takes a whole number of values from 1; not ${size}`)
}
