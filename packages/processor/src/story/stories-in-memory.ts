import type { Clock } from '@millrace/event'
import type { Commit, CommitResult } from '../commit.ts'
import type { RecordedEffect } from '../effect-ledger.ts'
import type { GroupPartition } from '../group-partition.ts'
import type { MemoryGroup } from '../memory-group.ts'
import type { MemoryGroups } from '../memory-groups.ts'
import { checkAsked } from './check-story.ts'
import { noteCommit } from './memory-stories.ts'
import type { Stories } from './stories.ts'
import type { SettledSpan, StoryFact } from './story-fact.ts'

/** The part of a group store in memory that tells what became of events. */
export class StoriesInMemory implements Stories {
  readonly #groups: MemoryGroups
  readonly #clock: Clock

  constructor(groups: MemoryGroups, clock: Clock) {
    this.#groups = groups
    this.#clock = clock
  }

  async facts(
    at: GroupPartition,
    seqs: readonly number[],
  ): Promise<ReadonlyMap<number, readonly StoryFact[]>> {
    const { stories } = this.#live(at)
    return answers(seqs, (seq) => stories.of(seq))
  }

  async settledSpans(at: GroupPartition, seqs: readonly number[]): Promise<ReadonlyMap<number, SettledSpan>> {
    const { stories } = this.#live(at)
    return answers(seqs, (seq) => stories.spanOf(seq))
  }

  async openEffects(
    at: GroupPartition,
    idempotencyKeys: readonly string[],
  ): Promise<ReadonlyMap<string, RecordedEffect>> {
    const { effects } = this.#groups.of(at)
    return answers(idempotencyKeys, (id) => {
      const text = effects.get(id)
      return text === undefined ? undefined : (JSON.parse(text) as RecordedEffect)
    })
  }

  /** Notes what a commit tells, in the step that has made it true. */
  protected told(at: GroupPartition, commit: Commit, tip: number, result: CommitResult): CommitResult {
    const nowMs = this.#clock.now()
    if (result.status === 'committed') noteCommit(this.#groups.of(at), at, commit, { nowMs, tip })
    return result
  }

  #live({ topic, partition, group }: GroupPartition): MemoryGroup {
    return this.#groups.of({ topic, partition, group })
  }
}

function answers<K, V>(asked: readonly K[], answer: (one: K) => V | undefined): ReadonlyMap<K, V> {
  checkAsked(asked)
  const found = new Map<K, V>()
  for (const one of asked) {
    const value = answer(one)
    if (value !== undefined) found.set(one, value)
  }
  return found
}
