import { defer, Observable, type ObservableInput } from 'rxjs'
import { Place } from '../lane/current.ts'
import type { Kept } from '../lane/kept.ts'
import { linked } from './linked.ts'

/**
 * The inner stream that an operator opens for a value that it keeps. The value's load is current whenever anything
 * comes out, and is given back when the stream is over: complete, failed or unsubscribed.
 */
export function innerStream<O extends ObservableInput<unknown>>(
  kept: Kept,
  open: () => O,
): Observable<O extends ObservableInput<infer R> ? R : never> {
  return new Observable((subscriber) => {
    subscriber.add(() => kept.drop())
    const { lane, load } = kept
    lane.run(new Place(lane, load), load, () => {
      defer(open).subscribe(
        linked(subscriber, {
          next: (value) => kept.run(() => subscriber.next(value)),
          error: (error) => kept.run(() => subscriber.error(error)),
          complete: () => kept.run(() => subscriber.complete()),
        }),
      )
    })
  })
}
