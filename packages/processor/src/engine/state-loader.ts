import { MillraceError } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import { backoffMs } from '@millrace/retry'
import type { GroupPartition, StoredKey } from '../group-store.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { KeyLanes } from './key-lanes.ts'
import type { KeySlot } from './key-slot.ts'
import { readOne } from './line-reader.ts'
import { sleep } from './sleep.ts'

const retry = { firstMs: 50, maxMs: 2_000 }
const mostKeys = 1_000

/** What a state loader tells the engine that it works for. */
export interface LoaderOwner {
  loaded(): void
  failed(error: unknown): void
}

/** Fetches what the store has of keys that are not in the cache: those of a batch by one call. */
export class StateLoader {
  readonly #settings: EngineSettings
  readonly #at: GroupPartition
  readonly #lanes: KeyLanes
  readonly #owner: LoaderOwner
  readonly #ending = new AbortController()

  constructor(settings: EngineSettings, at: GroupPartition, lanes: KeyLanes, owner: LoaderOwner) {
    this.#settings = settings
    this.#at = at
    this.#lanes = lanes
    this.#owner = owner
  }

  /** Loads what is missing by now. */
  load(): void {
    const { missing } = this.#lanes
    if (missing.length === 0) return
    this.#lanes.missing = []
    for (let from = 0; from < missing.length; from += mostKeys)
      void this.#load(missing.slice(from, from + mostKeys))
  }

  end(): void {
    this.#ending.abort()
  }

  /** The deferred events of keys, to be handled again. */
  #deferred(stored: readonly StoredKey[]): Promise<readonly (readonly Recorded[])[]> | undefined {
    if (!stored.some(({ deferred }) => deferred.length > 0)) return undefined
    const { log, processor } = this.#settings
    const { topic } = processor
    const ofKey = ({ key, deferred }: StoredKey) =>
      Promise.all(deferred.map(({ seq }) => readOne({ log, topic, key }, seq)))
    return Promise.all(stored.map(ofKey))
  }

  async #load(slots: readonly KeySlot[]): Promise<void> {
    const { store, timers, random, tell } = this.#settings
    const keys = slots.map(({ key }) => key)
    for (let failures = 0; !this.#ending.signal.aborted;) {
      try {
        const stored = await store.loadStates(this.#at, keys)
        const deferred = await this.#deferred(stored)
        if (this.#ending.signal.aborted) return
        for (const [place, slot] of slots.entries()) {
          const one = stored[place]
          if (one) this.#lanes.loaded(slot, one, deferred?.[place] ?? [])
        }
        this.#owner.loaded()
        return
      } catch (error) {
        if (!(error instanceof MillraceError && error.retryable)) {
          this.#owner.failed(error)
          return
        }
        tell({ kind: 'trouble', partition: this.#at.partition, error })
        failures += 1
        await sleep(timers, backoffMs(retry, failures, random()), this.#ending.signal)
      }
    }
  }
}
