import type { ObservableInput, ObservedValueOf, OperatorFunction } from 'rxjs'
import { merging } from './merge-map.ts'

/**
 * `concatMap` of RxJS, held: one inner stream at a time, in order; an event is settled when its own is over. What is
 * behind it sees the events in their order.
 */
export function concatMap<V, O extends ObservableInput<unknown>>(
  project: (value: V, index: number) => O,
): OperatorFunction<V, ObservedValueOf<O>> {
  return merging('concatMap()', project, 1)
}
