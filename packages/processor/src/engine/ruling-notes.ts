import type { Commit } from '../commit.ts'
import type { Delivery } from '../lane/delivery.ts'
import type { HeededRuling, LateRun } from '../ruling.ts'

/** What one commit says of operators' rulings: which were followed, and where late runs came. */
export class RulingNotes {
  readonly lateRuns: (LateRun & { readonly key: string })[] = []
  readonly #heeded: HeededRuling[] = []

  /**
   * An event of a line, or a late one, is settled. `behind`: everything of its key up to there was settled before;
   * `afterFirings`: so many timers have fired before it in the same commit.
   */
  add({ key, origin, outcome, recorded, ruling }: Delivery, behind: number, afterFirings: number): void {
    const seq = recorded?.position.seq ?? 0
    if (origin === 'line') this.#heeded.push({ seq, id: ruling?.id, ...(ruling?.id ? { ruling } : {}) })
    else if (origin === 'late' && outcome !== 'dead')
      this.lateRuns.push({
        key,
        seq,
        afterSeq: Math.max(seq, behind),
        ...(afterFirings > 0 ? { afterFirings } : {}),
      })
  }

  parts(): Pick<Commit, 'heeded' | 'lateRuns'> {
    return {
      ...(this.lateRuns.length > 0 ? { lateRuns: this.lateRuns } : {}),
      ...(this.#heeded.length > 0 ? { heeded: this.#heeded } : {}),
    }
  }
}
