import { Observable, type OperatorFunction, Subscriber } from 'rxjs'
import { now, type Place } from '../lane/current.ts'
import { placeOf } from './placed.ts'

/**
 * An operator of ours that does one thing with each value as it comes, in one lane. What `map` and `filter` of rxjs do,
 * without their closures: lanes are many, each event goes through another one, and each object on its way is
 * fetched from memory anew.
 */
export abstract class Step<T, R = T> extends Subscriber<T> {
  protected readonly place: Place
  readonly #behind: Subscriber<R>

  constructor(place: Place, behind: Subscriber<R>) {
    super(behind)
    this.place = place
    this.#behind = behind
  }

  /** Does it, and hands on what comes of it. What it throws ends the stream with that error. */
  protected abstract step(value: T): void

  protected handOn(value: R): void {
    this.#behind.next(value)
  }

  protected override _next(value: T): void {
    try {
      this.step(value)
    } catch (error) {
      this.#behind.error(error)
    }
  }
}

/** Makes an operator out of a step; `name` is what it is called in errors. */
export function stepped<T, R>(
  name: string,
  make: (place: Place, behind: Subscriber<R>) => Step<T, R>,
): OperatorFunction<T, R> {
  return (source) => {
    const built = now.place
    return new Observable((subscriber) => {
      source.subscribe(make(placeOf(name, built), subscriber))
    })
  }
}
