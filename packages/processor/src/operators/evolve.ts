import type { OperatorFunction, Subscriber } from 'rxjs'
import type { Place } from '../lane/current.ts'
import { recordState } from '../lane/recording.ts'
import type { InState, StateOf } from '../model/lane-event.ts'
import { Step, stepped } from './step.ts'

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
  return stepped('evolve()', (place, behind) => new EvolveStep<V, StateOf<V>>(place, behind, fold))
}

class EvolveStep<E, S> extends Step<E, Evolved<E, S>> {
  readonly #fold: (state: S, event: E) => S

  constructor(place: Place, behind: Subscriber<Evolved<E, S>>, fold: (state: S, event: E) => S) {
    super(place, behind)
    this.#fold = fold
  }

  protected override step(event: E): void {
    const { lane } = this.place
    const { delivery } = this.place.load('evolve()')
    const before = lane.memory.latest.state as S
    const state = this.#fold(before, event)
    recordState(lane, delivery, state)
    this.handOn({ event, before, state })
  }
}
