import {
  finalize,
  map,
  mergeMap as mergeMapOfRxjs,
  type ObservableInput,
  type ObservedValueOf,
  type OperatorFunction,
} from 'rxjs'
import { keep, type Kept } from '../lane/kept.ts'
import { innerStream } from './inner-stream.ts'
import { placed } from './placed.ts'

/**
 * `mergeMap` of RxJS, held: an event is settled when its inner stream is over, and what comes out of that belongs to
 * it. Inner streams of one key overtake each other: nothing behind it may depend on their order.
 */
export function mergeMap<V, O extends ObservableInput<unknown>>(
  project: (value: V, index: number) => O,
  concurrent: number = Number.POSITIVE_INFINITY,
): OperatorFunction<V, ObservedValueOf<O>> {
  return merging('mergeMap()', project, concurrent)
}

/** {@link mergeMap} under another name. */
export function merging<V, O extends ObservableInput<unknown>>(
  name: string,
  project: (value: V, index: number) => O,
  concurrent: number,
): OperatorFunction<V, ObservedValueOf<O>> {
  return placed(name, (place, source) => {
    // Those that wait for their turn have no inner stream yet that could give them back.
    const waiting = new Set<Kept>()
    return source.pipe(
      map((value: V) => {
        const kept = keep(place, name)
        waiting.add(kept)
        return { value, kept }
      }),
      mergeMapOfRxjs(({ value, kept }, index) => {
        waiting.delete(kept)
        return innerStream(kept, () => project(value, index))
      }, concurrent),
      finalize(() => {
        for (const kept of waiting) kept.drop()
      }),
    )
  })
}
