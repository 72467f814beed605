import {
  exhaustMap as exhaustMapOfRxjs,
  type ObservableInput,
  type ObservedValueOf,
  type OperatorFunction,
} from 'rxjs'
import { keep } from '../lane/kept.ts'
import { innerStream } from './inner-stream.ts'
import { placed } from './placed.ts'

/**
 * `exhaustMap` of RxJS, held: an event is settled when its inner stream is over; one that comes meanwhile is ignored,
 * which means that it is done.
 */
export function exhaustMap<V, O extends ObservableInput<unknown>>(
  project: (value: V, index: number) => O,
): OperatorFunction<V, ObservedValueOf<O>> {
  return placed('exhaustMap()', (place, source) =>
    source.pipe(
      exhaustMapOfRxjs((value: V, index) =>
        innerStream(keep(place, 'exhaustMap()'), () => project(value, index)),
      ),
    ),
  )
}
