import type { GroupPartition } from '../group-store.ts'
import { decodeRecord, emptyRecord, type KeyRecord } from '../model/key-record.ts'
import type { Processor } from '../model/processor.ts'
import { isDropped } from '../shadow/dropped-mark.ts'
import type { StoredState } from '../stored-state.ts'
import type { StateOfKey } from './generations.ts'
import { type JsonDifference, jsonDifferences } from './json-difference.ts'
import type { ReplaySettings } from './replay-settings.ts'

const mostPlaces = 10

/** A key whose records differ: before in the live generation, after in the new one. */
export interface KeyDifference {
  readonly partition: number
  readonly key: string
  /** The first ten places. */
  readonly places: readonly JsonDifference[]
}

/** How two generations compare, key by key. */
export interface GenerationDifferences {
  readonly same: number
  readonly different: number
  /** Keys that the live generation has gone on with meanwhile: nothing can be said of them. */
  readonly moved: number
  /** The first of those that differ. */
  readonly keys: readonly KeyDifference[]
}

/** Compares the new generation with the live one, both as they are, a page of keys at a time. */
export async function compareGenerations(
  settings: ReplaySettings,
  generation: number,
  most: number,
): Promise<GenerationDifferences> {
  const { topic, name: group } = settings.processor
  const counts = { same: 0, different: 0, moved: 0 }
  const keys: KeyDifference[] = []
  for (let partition = 0; partition < topic.partitions; partition++) {
    const live = { topic, partition, group }
    const built = { ...live, generation }
    const { position } = await settings.store.look(built)
    // Keys of the new one, each with its record in the live one; then what only the live one has.
    for (const [from, other] of [[built, live] as const, [live, built] as const])
      for await (const page of pagesOf(settings, from)) {
        const there = await statesOf(settings, other, page)
        for (const { key, state } of page) {
          const counterpart = there.get(key)
          if (from === live && counterpart) continue
          const [before, after] = from === built ? [counterpart, state] : [state, counterpart]
          if ((before?.seq ?? 0) > position.seq) counts.moved += 1
          else {
            const places = placesOf(settings.processor, before, after)
            counts[places.length === 0 ? 'same' : 'different'] += 1
            if (places.length > 0 && keys.length < most) keys.push({ partition, key, places })
          }
        }
      }
  }
  return { ...counts, keys }
}

async function* pagesOf(
  { store, signal }: ReplaySettings,
  at: GroupPartition,
): AsyncGenerator<readonly StateOfKey[]> {
  for (let after: string | undefined; ;) {
    signal?.throwIfAborted()
    const page = await store.statesPage(at, after === undefined ? {} : { after })
    yield page.items
    if (page.next === undefined) return
    after = page.next
  }
}

async function statesOf(
  { store }: ReplaySettings,
  at: GroupPartition,
  page: readonly StateOfKey[],
): Promise<ReadonlyMap<string, StoredState>> {
  const found = new Map<string, StoredState>()
  const keys = page.map(({ key }) => key)
  for (let from = 0; from < keys.length; from += 1_000)
    for (const { key, state } of await store.loadStates(at, keys.slice(from, from + 1_000)))
      if (state) found.set(key, state)
  return found
}

function placesOf(
  processor: Processor,
  before: StoredState | undefined,
  after: StoredState | undefined,
): readonly JsonDifference[] {
  // One that was dropped is folded anew with its next event.
  if ((before && isDropped(before)) || (after && isDropped(after))) return []
  if (before && before.version === after?.version && before.state === after.state && before.ops === after.ops)
    return []
  return jsonDifferences(shown(processor, before), shown(processor, after), mostPlaces)
}

/** State and memories of operators as one value, at the present version; what cannot be read as it lies there. */
function shown(processor: Processor, stored: StoredState | undefined): unknown {
  if (stored === undefined) return undefined
  let record: KeyRecord = emptyRecord
  try {
    record = decodeRecord(processor, stored)
  } catch {
    return { state: JSON.parse(stored.state || 'null') as unknown }
  }
  const operators = Object.keys(record.ops).length === 0 ? {} : { operators: record.ops }
  return JSON.parse(JSON.stringify({ state: record.state, ...operators })) as unknown
}
