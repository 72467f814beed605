import { Observable, type OperatorFunction, type Subscriber } from 'rxjs'
import { keep, type Kept } from '../lane/kept.ts'
import type { Place } from '../lane/current.ts'
import { linked } from './linked.ts'
import { placed } from './placed.ts'

/** An operator that keeps values for a while. */
export interface Keeper<V> {
  next(value: V, kept: Kept): void
  /** Nothing more will come: completes what is behind, now or when it has handed on what it keeps. */
  complete(): void
  /** It was unsubscribed, or has completed: drops what it keeps, and its timers. */
  stop(): void
}

/** Makes an operator of a keeper: each value comes with a hold, which the keeper gives back. */
export function keeping<V, R>(
  name: string,
  make: (place: Place, behind: Subscriber<R>) => Keeper<V>,
): OperatorFunction<V, R> {
  return placed(
    name,
    (place, source: Observable<V>) =>
      new Observable((behind: Subscriber<R>) => {
        const keeper = make(place, behind)
        behind.add(() => keeper.stop())
        source.subscribe(
          linked<V>(behind, {
            next: (value) => {
              try {
                keeper.next(value, keep(place, name))
              } catch (error) {
                behind.error(error)
              }
            },
            error: (error) => behind.error(error),
            complete: () => keeper.complete(),
          }),
        )
      }),
  )
}

/** Checks a length of time. Throws a TypeError: a wrong one is a mistake in code. */
export function assertMs(name: string, ms: number): void {
  // Beyond it, timers of JavaScript fire at once.
  if (!(ms >= 0 && ms <= 2_147_483_647))
    throw new TypeError(`${name} takes a time in ms, from 0 to 24 days; not ${ms}`)
}
