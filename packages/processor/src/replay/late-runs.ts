import type { Recorded } from '@millrace/log'
import type { JournalledLateRun } from '../ruling.ts'

/** An event that was handled late. */
export interface LateEvent {
  readonly recorded: Recorded
  /** As operators have ruled. */
  readonly ruled: Recorded
  readonly ran: JournalledLateRun
}

/** Late runs that a fold of a key's history has met the events of, and not their places yet. */
export class LateRuns {
  #waiting: readonly LateEvent[] = []

  add(event: LateEvent): void {
    this.#waiting = [...this.#waiting, event].toSorted(
      (a, b) => a.ran.afterSeq - b.ran.afterSeq || a.ran.no - b.ran.no,
    )
  }

  /** Takes out those that came before an event; or, with a number of the journal, behind it and before that. */
  before(seq: number, no?: number): readonly LateEvent[] {
    if (this.#waiting.length === 0) return this.#waiting
    const isBefore = ({ ran }: LateEvent) =>
      ran.afterSeq < seq || (no !== undefined && ran.afterSeq === seq && ran.no < no)
    const taken = this.#waiting.filter(isBefore)
    this.#waiting = this.#waiting.filter((one) => !isBefore(one))
    return taken
  }

  /** Whether one came right behind an event. */
  hasAt(seq: number): boolean {
    return this.#waiting.some(({ ran }) => ran.afterSeq === seq)
  }

  /** Those whose places were not reached. */
  get rest(): readonly LateEvent[] {
    return this.#waiting
  }
}
