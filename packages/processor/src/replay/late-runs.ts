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

  /** Takes out those that came before an event; with a number of the journal also those that have a lower one. */
  before(seq: number, no?: number): readonly LateEvent[] {
    if (this.#waiting.length === 0) return this.#waiting
    const isBefore = ({ ran }: LateEvent) => ran.afterSeq < seq || (no !== undefined && ran.no < no)
    const taken = this.#waiting.filter(isBefore)
    this.#waiting = this.#waiting.filter((one) => !isBefore(one))
    return taken
  }

  /** There are some whose places were not reached: they may have set a timer. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Those whose places were not reached. */
  get rest(): readonly LateEvent[] {
    return this.#waiting
  }
}
