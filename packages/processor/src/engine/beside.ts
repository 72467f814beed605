import type { Commit } from '../commit.ts'
import type { EffectToRecord } from '../effect-ledger.ts'
import type { TimerSetting } from '../key-timer.ts'
import type { MigratedKey } from '../migrated-key.ts'
import type { KeySlot } from './key-slot.ts'

/** What a commit says of running beside another system: keys that are taken over, effects that are withheld. */
export class Beside {
  readonly withheld: EffectToRecord[] = []
  readonly #migrations: MigratedKey[] = []

  get count(): number {
    return Math.max(this.withheld.length, this.#migrations.length)
  }

  /** Whether the record of the key is to be written whatever its events have made of it. */
  takeOver(slot: KeySlot, set: (timer: TimerSetting) => void): boolean {
    const { taken } = slot
    if (taken === undefined) return false
    slot.taken = undefined
    if (taken.entry) this.#migrations.push(taken.entry)
    for (const timer of taken.timers) set(timer)
    return true
  }

  parts(): Pick<Commit, 'withheld' | 'migrations'> {
    return {
      ...(this.withheld.length > 0 ? { withheld: this.withheld } : {}),
      ...(this.#migrations.length > 0 ? { migrations: this.#migrations } : {}),
    }
  }
}
