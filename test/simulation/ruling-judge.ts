import type { Commit, RuleRequest, RuleResult, Ruling } from '@millrace/processor'
import type { Act, Asking } from './act.ts'
import { demand } from './story.ts'

const followed = 'a ruling is followed, or it is gone'

/** What operators have decided about events, and how those were handled then. */
export class RulingJudge {
  /** All that were made, by id. */
  readonly #made = new Map<string, RuleRequest>()
  /** Those that stand, by the seq of their event. */
  readonly #standing = new Map<number, RuleRequest>()
  readonly #ran = new Map<number, number>()

  ruled(request: RuleRequest, result: RuleResult): void {
    if (result.status !== 'ruled' || request.dryRun === true) return
    this.#made.set(request.id, request)
    this.#standing.set(request.seq, request)
    this.#ran.delete(request.seq)
  }

  /** What an event asked for when a commit handled it; `ignored`: nothing, without its handler. */
  actOf({ seq, act }: Asking, { heeded = [], late = [] }: Commit): Act | 'ignored' {
    const ruling = late.includes(seq)
      ? this.#standing.get(seq)
      : this.#made.get(heeded.find((one) => one.seq === seq)?.id ?? '')
    if (ruling?.kind === 'ignored') return 'ignored'
    return ruling?.kind === 'corrected' ? (ruling.data as Act) : act
  }

  /** A commit is true: what it has settled under another ruling than the one that stands is ruled as it was settled. */
  committed({ heeded = [], lateRuns = [] }: Commit): void {
    for (const { seq, id } of heeded) {
      demand(
        id === undefined || this.#made.get(id)?.seq === seq,
        followed,
        () => `event ${seq} was handled under ${id}, which nobody has ruled`,
      )
      if (!this.#standing.has(seq)) continue
      const heard = this.#made.get(id ?? '')
      if (heard) this.#standing.set(seq, heard)
      else this.#standing.delete(seq)
    }
    for (const { seq, afterSeq } of lateRuns) this.#ran.set(seq, afterSeq)
  }

  /** What the store says of events is what was decided about them. */
  read(stored: ReadonlyMap<number, Ruling>): void {
    const said = (all: Iterable<readonly [number, string, string, number | undefined]>) =>
      [...all].toSorted(([a], [b]) => a - b).join(' ')
    const found = said([...stored].map(([seq, { id, kind, ran }]) => [seq, kind, id, ran?.afterSeq]))
    const expected = said(
      [...this.#standing].map(([seq, { id, kind }]) => [seq, kind, id, this.#ran.get(seq)]),
    )
    demand(found === expected, followed, () => `stored are ${found}, standing ${expected}`)
  }

  /** Events that somebody has ever ruled on. */
  get seqs(): readonly number[] {
    return [...new Set([...this.#made.values()].map(({ seq }) => seq))]
  }
}
