import { map, type OperatorFunction } from 'rxjs'
import { recordState } from '../lane/recording.ts'
import type { InState, StateOf } from '../model/lane-event.ts'
import { placed } from './placed.ts'

/** What {@link evolve} hands on. */
export interface Evolved<E, S> {
  readonly event: E
  /** The state before the event. */
  readonly before: S
  /** The state after it. */
  readonly state: S
}

/**
 * Folds events into the key's state, which is committed with them. `fold` must be pure: it never changes the state in
 * place, asks no clock and waits for nothing. It sees the events in their order; an operator before it that changes
 * the order is refused with `pipeline.order`.
 */
export function evolve<V extends InState<unknown>>(
  fold: (state: StateOf<V>, event: NoInfer<V>) => StateOf<V>,
): OperatorFunction<V, Evolved<V, StateOf<V>>> {
  return placed('evolve()', (place, source) => {
    const { lane } = place
    return source.pipe(
      map((event) => {
        const { delivery } = place.load('evolve()')
        const before = lane.memory.latest.state as StateOf<V>
        const state = fold(before, event)
        recordState(lane, delivery, state)
        return { event, before, state }
      }),
    )
  })
}
