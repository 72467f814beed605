import { MillraceError } from '@millrace/event'
import type { GroupPartition } from '../group-store.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { KeyLanes } from './key-lanes.ts'
import type { Later } from './later.ts'

const pageSize = 100

/** What the beat of deferred events asks of the engine that it works for. */
export interface BeatOwner {
  load(): void
  changed(): void
  failed(error: unknown): void
}

/** Offers the deferred events of all keys of a partition now and then: nothing else may come for their keys. */
export class DeferralBeat {
  readonly #settings: EngineSettings
  readonly #at: GroupPartition
  readonly #lanes: KeyLanes
  readonly #later: Later
  readonly #owner: BeatOwner
  #ended = false

  constructor(
    settings: EngineSettings,
    at: GroupPartition,
    parts: { readonly lanes: KeyLanes; readonly later: Later },
    owner: BeatOwner,
  ) {
    this.#settings = settings
    this.#at = at
    this.#lanes = parts.lanes
    this.#later = parts.later
    this.#owner = owner
  }

  start(): void {
    void this.#beat().then(() => {
      this.#later.after(this.#settings.deferBeatMs, () => this.start())
    })
  }

  end(): void {
    this.#ended = true
  }

  async #beat(): Promise<void> {
    try {
      let after: string | undefined
      do {
        const options = { limit: pageSize, ...(after === undefined ? {} : { after }) }
        const { items, next } = await this.#settings.store.deferredKeys(this.#at, options)
        if (this.#ended) return
        for (const { key } of items) this.#lanes.beat(this.#lanes.slotOf(key))
        this.#owner.load()
        this.#owner.changed()
        after = next
      } while (after !== undefined && !this.#ended)
    } catch (error) {
      if (this.#ended) return
      if (error instanceof MillraceError && error.retryable)
        this.#settings.tell({ kind: 'trouble', partition: this.#at.partition, error })
      else this.#owner.failed(error)
    }
  }
}
