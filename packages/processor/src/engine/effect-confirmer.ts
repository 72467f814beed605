import { MillraceError } from '@millrace/event'
import { backoffMs } from '@millrace/retry'
import type { EffectChange } from '../effect-ledger.ts'
import type { EngineLease } from './engine-lease.ts'
import type { EngineSettings } from './engine-settings.ts'
import { sleep } from './sleep.ts'

/** Pauses while the store cannot be reached. */
const retry = { firstMs: 50, maxMs: 2_000 }
const mostChanges = 500

/** A change of an effect of that name. */
export interface ChangedEffect {
  readonly name: string
  readonly change: EffectChange
}

/** What confirming tells those whose effects they are. */
export interface ConfirmerOwner {
  /** So the ledger says it now. */
  confirmed(changed: readonly ChangedEffect[]): void
  lost(): void
  failed(error: unknown): void
}

/** Tells the ledger what has become of effects, under the token, in the order in which it became so. */
export class EffectConfirmer {
  readonly #settings: EngineSettings
  readonly #lease: EngineLease
  readonly #signal: AbortSignal
  readonly #owner: ConfirmerOwner
  readonly #changes: ChangedEffect[] = []
  /** How many of them leave an effect pending: another change of it may follow. */
  #notes = 0
  #confirming: Promise<void> | undefined

  constructor(settings: EngineSettings, lease: EngineLease, signal: AbortSignal, owner: ConfirmerOwner) {
    this.#settings = settings
    this.#lease = lease
    this.#signal = signal
    this.#owner = owner
  }

  /** An effect of that name has changed. */
  add(name: string, change: EffectChange): void {
    this.#changes.push({ name, change })
    if (change.to === 'pending') this.#notes += 1
    this.#confirm()
  }

  /** Resolves when everything is confirmed. */
  async settled(): Promise<void> {
    while (this.#confirming && !this.#signal.aborted) await this.#confirming
  }

  #confirm(): void {
    if (this.#confirming || this.#signal.aborted) return
    this.#confirming = this.#confirmAll().finally(() => {
      this.#confirming = undefined
      if (this.#changes.length > 0) this.#confirm()
    })
  }

  /** How many of the first changes one call takes: each effect once. */
  #together(): number {
    if (this.#notes === 0) return mostChanges
    const seen = new Set<string>()
    for (const { change } of this.#changes) {
      if (seen.size === mostChanges || seen.has(change.idempotencyKey)) break
      seen.add(change.idempotencyKey)
    }
    return seen.size
  }

  async #confirmAll(): Promise<void> {
    const { store, random, timers, tell } = this.#settings
    for (let failures = 0; this.#changes.length > 0 && !this.#signal.aborted;) {
      const part = this.#changes.slice(0, this.#together())
      try {
        const changes = part.map(({ change }) => change)
        const results = await store.confirmEffects(this.#lease.at, this.#lease.token, changes)
        if (results === 'fenced') {
          this.#owner.lost()
          return
        }
        this.#changes.splice(0, part.length)
        if (this.#notes > 0) this.#notes -= part.filter(isNote).length
        this.#owner.confirmed(part)
        const names = part.flatMap(({ name, change }) => (change.to === 'confirmed' ? [name] : []))
        if (names.length > 0) tell({ kind: 'effects-confirmed', partition: this.#lease.at.partition, names })
        failures = 0
      } catch (error) {
        if (!(error instanceof MillraceError && error.retryable)) {
          this.#owner.failed(error)
          return
        }
        tell({ kind: 'trouble', partition: this.#lease.at.partition, error })
        failures += 1
        await sleep(timers, backoffMs(retry, failures, random()), this.#signal)
      }
    }
  }
}

function isNote({ change }: ChangedEffect): boolean {
  return change.to === 'pending'
}
