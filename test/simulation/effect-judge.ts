import type {
  EffectChange,
  EffectChangeResult,
  EffectRuleRequest,
  EffectRuleResult,
  GroupAudit,
  OpenEffect,
  WithheldRequest,
  WithheldResult,
} from '@millrace/processor'
import { demand } from './story.ts'

const once = 'guarantee 5, exactly once'
const kept = 'guarantee 8, nothing disappears'

/** Where an effect is. */
interface Standing {
  status: OpenEffect | 'confirmed' | 'ignored'
  /** Counts its changes. */
  turn: number
}

/** The ledger of effects as commits, confirmations and operators have written it. */
export class EffectJudge {
  readonly #ledger = new Map<string, Standing>()
  /** Recorded and not carried out: one of them may be recorded again, and carried out then. */
  readonly #withheld = new Set<string>()
  #neverReleased = 0

  /** Whether a commit has recorded an effect that is to be carried out. */
  has(idempotencyKey: string): boolean {
    return this.#ledger.has(idempotencyKey)
  }

  /** Those that were confirmed, or tried and given up: they have been carried out. */
  get tried(): readonly string[] {
    return [...this.#ledger].flatMap(([id, { status }]) =>
      status === 'confirmed' || status === 'dead' ? [id] : [],
    )
  }

  record(idempotencyKey: string): void {
    if (!this.has(idempotencyKey)) this.#ledger.set(idempotencyKey, { status: 'pending', turn: 0 })
  }

  withhold(idempotencyKey: string): void {
    if (!this.has(idempotencyKey)) this.#withheld.add(idempotencyKey)
  }

  changed(changes: readonly EffectChange[], results: readonly EffectChangeResult[]): void {
    for (const [at, change] of changes.entries()) {
      const { idempotencyKey, to } = change
      const standing = this.#ledger.get(idempotencyKey)
      const expected = resultOf(standing, change)
      demand(
        results[at] === expected,
        once,
        () => `effect ${idempotencyKey} is ${said(standing)}; that it is ${to} came to ${results[at]}`,
      )
      if (!standing || expected !== 'moved') continue
      standing.status = to
      standing.turn += 1
    }
  }

  ruled({ idempotencyKey, kind, dryRun }: EffectRuleRequest, { status }: EffectRuleResult): void {
    if (status !== 'ruled') return
    const standing = this.#ledger.get(idempotencyKey)
    demand(
      standing?.status === 'dead',
      once,
      () => `effect ${idempotencyKey} was ruled on and is ${said(standing)}`,
    )
    if (dryRun === true) return
    standing.status = kind === 'ignored' ? 'ignored' : 'pending'
    standing.turn += 1
  }

  settledWithheld({ ids, to }: WithheldRequest, results: readonly WithheldResult[]): void {
    for (const [at, id] of ids.entries()) {
      // What is in the ledger by now is not carried out a second time.
      const expected = this.#withheld.has(id) && !this.has(id) ? 'moved' : 'gone'
      demand(
        results[at] === expected,
        once,
        () => `effect ${id} is ${said(this.#ledger.get(id))}; that it is ${to} came to ${results[at]}`,
      )
      if (expected !== 'moved') continue
      this.#withheld.delete(id)
      if (to === 'released') this.#ledger.set(id, { status: 'pending', turn: 2 })
      else this.#neverReleased += 1
    }
  }

  audited({ counters: { effects } }: GroupAudit): void {
    const { recorded, pending, parked, dead, confirmed, ignored, withheld } = effects
    const found = { recorded, pending, parked, dead, confirmed, ignored, withheld }
    const expected = { recorded: 0, pending: 0, parked: 0, dead: 0, confirmed: 0, ignored: 0, withheld: 0 }
    for (const { status } of this.#ledger.values()) expected[status] += 1
    expected.withheld = this.#withheld.size
    expected.ignored += this.#neverReleased
    expected.recorded = this.#ledger.size + expected.withheld + this.#neverReleased
    const [one, other] = [JSON.stringify(found), JSON.stringify(expected)]
    demand(one === other, kept, () => `effects are counted as ${one}, and are ${other}`)
  }
}

function resultOf(standing: Standing | undefined, { turn, to }: EffectChange): EffectChangeResult {
  if (!standing) return 'stale'
  if (standing.status === 'confirmed' || standing.status === 'ignored') return 'already'
  if (standing.turn === turn) return 'moved'
  return standing.turn === turn + 1 && standing.status === to ? 'already' : 'stale'
}

function said(standing: Standing | undefined): string {
  return standing ? `${standing.status} at turn ${standing.turn}` : 'not recorded'
}
