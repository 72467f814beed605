import { recordedMsOf } from '@millrace/log'
import type { CommitFigures, OutcomeCount } from '../commit-figures.ts'
import { consumerHeard } from '../consumer-event.ts'
import type { Delivery } from '../lane/delivery.ts'
import type { EngineSettings } from './engine-settings.ts'
import { tallyOf } from './run-tally.ts'

/** What one commit settles, counted while it is gathered. */
export class CommitTally {
  readonly #settings: EngineSettings
  readonly #beganMs: number
  readonly #outcomes = new Map<string, Map<OutcomeCount['outcome'], number>>()
  /** By the time of the append: events that were appended together share it. */
  readonly #appended = new Map<number, number>()
  #others: OutcomeCount[] = []
  #oldestMs = Number.POSITIVE_INFINITY
  #traceparent: string | undefined

  constructor(settings: EngineSettings) {
    this.#settings = settings
    this.#beganMs = settings.elapsedMs()
  }

  /** A tally, if anybody listens. */
  static begin(settings: EngineSettings): CommitTally | undefined {
    return consumerHeard() ? new CommitTally(settings) : undefined
  }

  note({ recorded, outcome }: Delivery): void {
    if (recorded === undefined) return
    const { event, position } = recorded
    let counts = this.#outcomes.get(event.type)
    if (counts === undefined) this.#outcomes.set(event.type, (counts = new Map()))
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
    const atMs = recordedMsOf(position.id)
    this.#appended.set(atMs, (this.#appended.get(atMs) ?? 0) + 1)
    if (atMs >= this.#oldestMs) return
    this.#oldestMs = atMs
    this.#traceparent = typeof event.traceparent === 'string' ? event.traceparent : undefined
  }

  /** Events whose types are not at hand. */
  noteOthers(outcome: 'parked' | 'skipped', count: number): void {
    if (count > 0) this.#others.push({ type: undefined, outcome, count })
  }

  /** The commit has come back. */
  figures(): { readonly figures: CommitFigures } {
    const { clock, elapsedMs } = this.#settings
    const nowMs = clock.now()
    const { handled, hits, misses } = tallyOf(this.#settings).take()
    const outcomes = [...this.#outcomes].flatMap(([type, counts]) =>
      [...counts].map(([outcome, count]) => ({ type, outcome, count })),
    )
    return {
      figures: {
        outcomes: [...outcomes, ...this.#others],
        // The server's clock may be ahead of this one.
        waited: [...this.#appended].map(([atMs, count]) => ({ ms: Math.max(0, nowMs - atMs), count })),
        traceparent: this.#traceparent,
        handled,
        tookMs: elapsedMs() - this.#beganMs,
        lookups: { hits, misses },
      },
    }
  }
}
