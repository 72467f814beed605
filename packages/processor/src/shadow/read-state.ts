import { type Clock, freshId, partitionOfKey, systemClock, type Topic } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { migrationOf } from '../engine/ask-elsewhere.ts'
import type { GroupStore } from '../group-store.ts'
import { systemTimers, type Timers } from '../lane/timers.ts'
import type { Processor } from '../model/processor.ts'
import { recordOfMigration } from '../model/taken-over.ts'
import { stateAt } from '../replay/state-at.ts'

/** How the state of a key is read. */
export interface ReadOptions {
  readonly log: Pick<EventLog, 'readKey'>
  readonly store: GroupStore
  readonly key: string
  readonly correlationId?: string
  readonly signal?: AbortSignal
  readonly timers?: Timers
  readonly clock?: Clock
  /**
   * Journals what the other system answers: the key is taken over by being read, and its first event goes on from
   * there. Default false: nothing is kept.
   */
  readonly keep?: boolean
}

/** The present state of a key. */
export interface PresentOf<S> {
  readonly state: S
  /**
   * - `record`: what the group has folded; also what it has taken over, with the events since;
   * - `elsewhere`: nothing yet; as the other system answers now;
   * - `nowhere`: neither knows it.
   */
  readonly from: 'record' | 'elsewhere' | 'nowhere'
  /** Whether the group has taken the key over, so that it answers for it from now on. */
  readonly migrated: boolean
}

const never = new AbortController().signal

/**
 * Reads what a group knows of a key. A key without events that another system knows is answered as that one has it,
 * live. With `keep` that is journalled: the key is taken over by being read. Only the owner of its partition writes a
 * state, and does with the key's first event.
 *
 * @throws MillraceError `touch.unavailable`, `touch.refused`; those of {@link stateAt}
 */
export async function readState<T extends Topic, S>(
  processor: Processor<T, S>,
  options: ReadOptions,
): Promise<PresentOf<S>> {
  const { key, log, store, correlationId = freshId(), signal = never, keep = false } = options
  const { timers = systemTimers, clock = systemClock } = options
  const { topic, name: group, state: definition } = processor
  const at = { topic, partition: partitionOfKey(topic, key), group }
  const [[stored], migrated] = await Promise.all([
    store.loadStates(at, [key]),
    definition?.firstTouch ? store.migrations(at, [key]) : undefined,
  ])
  const known = migrated?.has(key) ?? false
  if (stored?.state || known || definition?.firstTouch === undefined) {
    const { state, position, asOf } = await stateAt(processor, { key, log, store })
    const somewhere = stored?.state !== undefined || known || position !== undefined
    return { state, from: somewhere ? 'record' : 'nowhere', migrated: known || asOf !== undefined }
  }
  const plain = processor as Processor<Topic, unknown> as Processor
  const { firstTouch } = plain.state ?? {}
  const entry =
    firstTouch &&
    (await migrationOf(
      plain,
      firstTouch,
      { key, correlationId, signal },
      { timers, nowMs: clock.now(), after: { seq: 0, id: undefined } },
    ))
  if (entry === undefined || entry.state === '')
    return { state: definition.initial(key), from: 'nowhere', migrated: false }
  // What was read is what the state's schema has let through.
  const state = recordOfMigration(plain, entry).state as S
  if (!keep) return { state, from: 'elsewhere', migrated: false }
  if ((await store.keepMigration(at, entry)) === 'known') return readState(processor, options)
  return { state, from: 'elsewhere', migrated: true }
}
