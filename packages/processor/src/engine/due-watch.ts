import { MillraceError } from '@millrace/event'
import type { GroupPartition } from '../group-store.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { KeyLanes } from './key-lanes.ts'
import type { KeySlot } from './key-slot.ts'
import type { Later } from './later.ts'

/** What a due watch asks of the engine that it works for. */
export interface DueOwner {
  /** Nothing of the key is in a commit that has not come back. */
  clean(slot: KeySlot): boolean
  /** Runs the line of a parked key, from its head. */
  run(slot: KeySlot, markMs: number): void
  /** Slots were made: their keys are to be loaded. */
  load(): void
  failed(error: unknown): void
}

/** Finds parked keys that are marked as due and has them run, so many at a time, and so many a second. */
export class DueWatch {
  readonly #settings: EngineSettings
  readonly #at: GroupPartition
  readonly #lanes: KeyLanes
  readonly #later: Later
  readonly #owner: DueOwner
  /** Marked keys that are run or about to be, with the times of their marks. */
  readonly #running = new Map<KeySlot, { readonly markMs: number; begun: boolean }>()
  #asking = false
  #again = false
  #more = false
  /** When the next one may begin, by elapsed time. */
  #nextMs = 0
  #ended = false

  constructor(
    settings: EngineSettings,
    at: GroupPartition,
    parts: { readonly lanes: KeyLanes; readonly later: Later },
    owner: DueOwner,
  ) {
    this.#settings = settings
    this.#at = at
    this.#lanes = parts.lanes
    this.#later = parts.later
    this.#owner = owner
  }

  /** There may be marks that it has not seen. */
  look(): void {
    this.#again = true
    if (!this.#asking && !this.#ended) void this.#ask()
  }

  /** What the store has of a key is known, or a commit that spoke of it has come back. */
  ready(slot: KeySlot): void {
    const found = this.#running.get(slot)
    if (found === undefined || found.begun) return
    if (slot.phase === 'loading' || !this.#owner.clean(slot)) return
    if (slot.phase !== 'parked') {
      this.over(slot)
      return
    }
    found.begun = true
    this.#owner.run(slot, found.markMs)
  }

  /** All that wait for their commits. */
  committed(): void {
    for (const slot of this.#running.keys()) this.ready(slot)
  }

  /** A run is over, and the store knows. */
  over(slot: KeySlot): void {
    if (this.#running.delete(slot) && (this.#more || this.#again)) this.look()
  }

  end(): void {
    this.#ended = true
    this.#running.clear()
  }

  async #ask(): Promise<void> {
    this.#asking = true
    const { store, clock, retriesAtOnce, tell } = this.#settings
    try {
      while (this.#again && !this.#ended) {
        this.#again = false
        const limit = Math.min(1_000, retriesAtOnce + this.#running.size)
        const marks = await store.dueKeys(this.#at, clock.now(), limit)
        this.#more = marks.length === limit
        for (const { key, atMs } of marks) if (!this.#take(key, atMs)) break
        this.#owner.load()
      }
    } catch (error) {
      if (error instanceof MillraceError && error.retryable)
        tell({ kind: 'trouble', partition: this.#at.partition, error })
      else this.#owner.failed(error)
    } finally {
      this.#asking = false
    }
  }

  /** Answers whether there is room for more. */
  #take(key: string, markMs: number): boolean {
    const { retriesAtOnce, retriesPerSecond, elapsedMs } = this.#settings
    if (this.#ended) return false
    const slot = this.#lanes.slotOf(key)
    if (this.#running.has(slot)) return true
    if (this.#running.size >= retriesAtOnce) {
      this.#more = true
      return false
    }
    const nowMs = elapsedMs()
    if (this.#nextMs > nowMs) {
      this.#later.after(this.#nextMs - nowMs, () => this.look())
      return false
    }
    this.#nextMs = Math.max(this.#nextMs, nowMs - 1_000) + 1_000 / retriesPerSecond
    this.#running.set(slot, { markMs, begun: false })
    this.ready(slot)
    return true
  }
}
