/** Marks what a state can be folded from; exists in types alone. */
declare const stateOf: unique symbol

/**
 * An event of a lane whose key has a state `S`. It is the event itself: the mark lets `evolve` know the type of the
 * state. It survives `filter`, `ofType` and the held operators, and is gone after a `map` to something else, because
 * a state is folded from the events of its key and from nothing else.
 */
export type LaneEvent<E, S> = E & InState<S>

/** The mark alone. */
export interface InState<S> {
  readonly [stateOf]?: S
}

/** The state that a value of a lane is folded into; `never` for what is not a value of a lane with a state. */
export type StateOf<V> = typeof stateOf extends keyof V ? (V extends InState<infer S> ? S : never) : never
