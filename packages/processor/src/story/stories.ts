import type { RecordedEffect } from '../effect-ledger.ts'
import type { GroupPartition } from '../group-partition.ts'
import type { SettledSpan, StoryFact } from './story-fact.ts'

/**
 * What a group store remembers of events beside what became of them in the end. Facts are written by the commit, the
 * confirmation or the ruling that they tell of, in the same step: all of it or nothing. Found by the seq of the event,
 * never by looking through. At most 1,000 are asked for at once.
 */
export interface Stories {
  /** The facts of events, by seq, in the order in which they came true. Who has none is absent. */
  facts(at: GroupPartition, seqs: readonly number[]): Promise<ReadonlyMap<number, readonly StoryFact[]>>

  /** When the position has passed events, as closely as commits were marked. What no mark has reached is absent. */
  settledSpans(at: GroupPartition, seqs: readonly number[]): Promise<ReadonlyMap<number, SettledSpan>>

  /** Those of the effects that are open, by idempotency key. */
  openEffects(
    at: GroupPartition,
    idempotencyKeys: readonly string[],
  ): Promise<ReadonlyMap<string, RecordedEffect>>
}
