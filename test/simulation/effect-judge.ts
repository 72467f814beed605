import type { EffectChange, EffectChangeResult, GroupAudit } from '@millrace/processor'
import { demand } from './story.ts'

const once = 'guarantee 5, exactly once'
const kept = 'guarantee 8, nothing disappears'

/** The effects that commits have recorded, and those that were settled. */
export class EffectJudge {
  readonly recorded = new Set<string>()
  readonly #settled = new Set<string>()

  record(idempotencyKey: string): void {
    this.recorded.add(idempotencyKey)
  }

  changed(changes: readonly EffectChange[], results: readonly EffectChangeResult[]): void {
    for (const [at, { idempotencyKey, to }] of changes.entries()) {
      if (results[at] !== 'moved' || (to !== 'confirmed' && to !== 'ignored')) continue
      demand(!this.#settled.has(idempotencyKey), once, () => `effect ${idempotencyKey} was settled twice`)
      this.#settled.add(idempotencyKey)
    }
  }

  audited({ counters: { effects } }: GroupAudit): void {
    demand(
      effects.recorded === this.recorded.size,
      kept,
      () => `${effects.recorded} effects are counted, ${this.recorded.size} were recorded`,
    )
    demand(
      effects.confirmed + effects.ignored === this.#settled.size,
      kept,
      () => `${this.#settled.size} effects were settled`,
    )
  }
}
