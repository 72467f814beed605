import { MillraceError } from '@millrace/event'
import type { RecordedEffect } from '../effect-ledger.ts'
import type { GroupPartition } from '../group-partition.ts'
import type { EngineSettings } from './engine-settings.ts'
import { sleep } from './sleep.ts'

/** How often the owner asks for what operators have put back, in ms: a read of a short list. */
const lookMs = 1_000
/** Most that one look takes in. */
const mostTaken = 100

/** What the watch asks of whom it works for. */
export interface RequeuedOwner {
  /** There is room for more. */
  room(): boolean
  take(effect: RecordedEffect): void
  failed(error: unknown): void
}

/** Finds effects that operators have put back, and hands each over once. */
export class RequeuedEffects {
  readonly #settings: EngineSettings
  readonly #at: GroupPartition
  readonly #owner: RequeuedOwner
  readonly #signal: AbortSignal
  /** Those that are in hand, with their turns, and those that were settled since the last look began. */
  readonly #known = new Map<string, { turn: number; settled: boolean }>()

  constructor(settings: EngineSettings, at: GroupPartition, signal: AbortSignal, owner: RequeuedOwner) {
    this.#settings = settings
    this.#at = at
    this.#signal = signal
    this.#owner = owner
  }

  /** From now on, until the signal. A processor without effects has none that could be put back. */
  start(): void {
    if (this.#settings.processor.effects.size > 0) void this.#lookOnAndOn()
  }

  /** It is in hand, whoever found it. */
  knows({ idempotencyKey, turn, ruling }: RecordedEffect): void {
    if (ruling !== undefined) this.#known.set(idempotencyKey, { turn, settled: false })
  }

  /** The ledger is told of a change that leaves it in hand. */
  changes(idempotencyKey: string, turn: number): void {
    const known = this.#known.get(idempotencyKey)
    if (known !== undefined) known.turn = turn
  }

  /** The ledger knows what has become of it. */
  settled(idempotencyKey: string): void {
    const known = this.#known.get(idempotencyKey)
    if (known !== undefined) known.settled = true
  }

  async #lookOnAndOn(): Promise<void> {
    while (!this.#signal.aborted) {
      await sleep(this.#settings.timers, lookMs, this.#signal)
      if (!this.#signal.aborted && this.#owner.room()) await this.#look()
    }
  }

  async #look(): Promise<void> {
    const { store, tell } = this.#settings
    // What was settled before the list is read is not on it; what is settled meanwhile may be.
    const before = [...this.#known].filter(([, { settled }]) => settled)
    try {
      const listed = await store.requeuedEffects(this.#at, this.#known.size + mostTaken)
      if (this.#signal.aborted) return
      for (const effect of listed) {
        // What was put back once more has a later turn than all that were known here.
        const isKnown = (this.#known.get(effect.idempotencyKey)?.turn ?? -1) >= effect.turn
        if (isKnown || effect.status !== 'pending') continue
        this.knows(effect)
        this.#owner.take(effect)
      }
      for (const [id, entry] of before) if (this.#known.get(id) === entry) this.#known.delete(id)
    } catch (error) {
      if (error instanceof MillraceError && error.retryable)
        tell({ kind: 'trouble', partition: this.#at.partition, error })
      else this.#owner.failed(error)
    }
  }
}
