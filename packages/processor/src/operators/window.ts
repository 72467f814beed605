import type { InState, StateOf } from '../model/lane-event.ts'

/** Values of one key that lie close together in time. Times in ms since the epoch. */
export interface WindowOf<V> {
  readonly startMs: number
  /** A tumbling window's end, which is not part of it; the time of a session's last event. */
  readonly endMs: number
  readonly values: readonly V[]
}

/** A window that can be folded into the state of its key, as its values can. */
export type Window<V> = WindowOf<V> & InState<StateOf<V>>
