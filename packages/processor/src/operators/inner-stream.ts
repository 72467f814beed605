import { from, Observable, type ObservableInput } from 'rxjs'
import { Place } from '../lane/current.ts'
import type { Load } from '../lane/load.ts'

/**
 * The inner stream that an operator opens for a value. Its load, which the caller has held, is current whenever
 * anything comes out of it, and is released when it is over: complete, failed or unsubscribed.
 */
export function innerStream<R>(place: Place, load: Load, open: () => ObservableInput<R>): Observable<R> {
  const { lane } = place
  return new Observable((subscriber) => {
    subscriber.add(() => lane.drop(place, load))
    lane.run(new Place(lane, load), load, () => {
      subscriber.add(
        from(open()).subscribe({
          next: (value) => lane.run(place, load, () => subscriber.next(value)),
          error: (error) => lane.run(place, load, () => subscriber.error(error)),
          complete: () => lane.run(place, load, () => subscriber.complete()),
        }),
      )
    })
  })
}
