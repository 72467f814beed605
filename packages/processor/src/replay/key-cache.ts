import type { DeferredEvent } from '../deferred-event.ts'
import type { GroupPartition, GroupStore } from '../group-store.ts'
import { decodeRecord, emptyRecord, type KeyRecord } from '../model/key-record.ts'
import { beginningsOf } from './beginnings.ts'
import { type FoldSettings, KeyFold } from './key-fold.ts'

const mostLoaded = 1_000

/** A key in a replay's hand. */
export interface ReplayedKey {
  readonly fold: KeyFold
  /** Its record as it was committed last. */
  committed: KeyRecord
  /** Its events that are not folded, as they were committed last. */
  out: readonly DeferredEvent[]
  /** Sequence number of its last event that was folded. */
  seq: number
}

/** The keys that a replay has in memory, those that came by lately; the others are loaded when they come. */
export class KeyCache {
  readonly #settings: FoldSettings
  readonly #store: GroupStore
  readonly #at: GroupPartition
  readonly #live: GroupPartition
  readonly #most: number
  readonly #keys = new Map<string, ReplayedKey>()

  constructor(
    settings: FoldSettings,
    place: { readonly store: GroupStore; readonly at: GroupPartition; readonly live: GroupPartition },
    most: number,
  ) {
    this.#settings = settings
    this.#store = place.store
    this.#at = place.at
    this.#live = place.live
    this.#most = most
  }

  /** Loads what is not in memory. */
  async load(keys: readonly string[]): Promise<void> {
    const missing = keys.filter((key) => !this.#keys.has(key))
    for (let from = 0; from < missing.length; from += mostLoaded) {
      const some = missing.slice(from, from + mostLoaded)
      const begun = await beginningsOf(this.#settings.processor, this.#store, this.#live, some)
      for (const { key, state, deferred } of await this.#store.loadStates(this.#at, some)) {
        const committed = state ? decodeRecord(this.#settings.processor, state) : emptyRecord
        const record = state ? committed : (begun.get(key) ?? emptyRecord)
        const fold = new KeyFold(this.#settings, key, record)
        this.#keys.set(key, { fold, committed, out: deferred, seq: state?.seq ?? 0 })
      }
    }
  }

  /** A key that was loaded. */
  of(key: string): ReplayedKey {
    const found = this.#keys.get(key)
    if (found === undefined) throw new TypeError(`Bug: key ${key} was not loaded`)
    this.#keys.delete(key)
    this.#keys.set(key, found)
    return found
  }

  /** Forgets those that have not come by for long, when there are too many. */
  trim(): void {
    for (const [key, { fold }] of this.#keys) {
      if (this.#keys.size <= this.#most) return
      fold.close()
      this.#keys.delete(key)
    }
  }

  forget(key: string): void {
    this.#keys.get(key)?.fold.close()
    this.#keys.delete(key)
  }

  clear(): void {
    for (const { fold } of this.#keys.values()) fold.close()
    this.#keys.clear()
  }
}
