import type { Delivery } from '../lane/delivery.ts'

/** What is folded into the state and does not go out: the past of a new group, or everything of a replay. */
export interface Withheld {
  /** Whether emits and effects of a delivery stay here; `seq` is that of the last event of its key. */
  covers(seq: number): boolean
  /** This delivery is in a commit, without its emits and effects. */
  note(delivery: Delivery): void
}
