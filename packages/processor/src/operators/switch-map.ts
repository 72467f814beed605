import {
  type ObservableInput,
  type ObservedValueOf,
  type OperatorFunction,
  switchMap as switchMapOfRxjs,
  tap,
} from 'rxjs'
import { keep, type Kept } from '../lane/kept.ts'
import { innerStream } from './inner-stream.ts'
import { placed } from './placed.ts'

/**
 * `switchMap` of RxJS, held: an event is settled when its inner stream is over, or when a later event switches that
 * off, which means that the earlier one is done.
 */
export function switchMap<V, O extends ObservableInput<unknown>>(
  project: (value: V, index: number) => O,
): OperatorFunction<V, ObservedValueOf<O>> {
  return placed('switchMap()', (place, source) => {
    let running: Kept | undefined
    return source.pipe(
      // Before the inner stream is unsubscribed, which on its own would not say why.
      tap(() => running?.release()),
      switchMapOfRxjs((value: V, index) => {
        running = keep(place, 'switchMap()')
        return innerStream(running, () => project(value, index))
      }),
    )
  })
}
