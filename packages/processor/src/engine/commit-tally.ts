import { isSampled } from '@millrace/event'
import { recordedMsOf } from '@millrace/log'
import type { CommitFigures, Lengths, OutcomeCount } from '../commit-figures.ts'
import { consumerHeard } from '../consumer-event.ts'
import type { Delivery } from '../lane/delivery.ts'
import type { EngineSettings } from './engine-settings.ts'
import { beforeSnapshot } from './hand-over.ts'
import { tallyOf } from './run-tally.ts'

// Reading the time of each append out of its stream id costs 0.1 µs an event, as much as all the rest.
const exactUpTo = 64
const everyOther = 8
/** As many links as a span has, by the limits of OpenTelemetry. */
const mostTraced = 128

interface TypeCounts {
  readonly type: string
  done: number
  deferred: number
  dead: number
}

/** What one commit settles, counted while it is gathered. */
export class CommitTally {
  readonly #settings: EngineSettings
  readonly #beganMs: number
  readonly #types = new Map<string, TypeCounts>()
  /** The one of the last event: most are of its type. */
  #counts: TypeCounts = { type: '', done: 0, deferred: 0, dead: 0 }
  readonly #others: OutcomeCount[] = []
  readonly #times: number[] = []
  readonly #traced: string[] = []
  #events = 0
  /** Done without their handler. */
  #before = 0
  #oldestMs = Number.POSITIVE_INFINITY
  /** Of the events whose traces are recorded. */
  #oldest: string | undefined

  constructor(settings: EngineSettings) {
    this.#settings = settings
    this.#beganMs = settings.elapsedMs()
  }

  /** A tally, if anybody listens. */
  static begin(settings: EngineSettings): CommitTally | undefined {
    return consumerHeard() ? new CommitTally(settings) : undefined
  }

  note(delivery: Delivery): void {
    const { recorded } = delivery
    if (recorded === undefined) return
    if (delivery.why === beforeSnapshot) {
      this.#before += 1
      return
    }
    const { type } = recorded.event
    let counts = this.#counts
    if (counts.type !== type) counts = this.#countsOf(type)
    counts[delivery.outcome] += 1
    if (delivery.traced !== undefined && this.#traced.length < mostTraced) this.#traced.push(delivery.traced)
    const at = this.#events++
    if (at >= exactUpTo && at % everyOther !== 0) return
    const atMs = recordedMsOf(recorded.position.id)
    this.#times.push(atMs)
    if (atMs >= this.#oldestMs || !isSampled(recorded.event.traceparent)) return
    this.#oldestMs = atMs
    this.#oldest = recorded.event.traceparent
  }

  /** Events whose types are not at hand. */
  noteOthers(outcome: 'before-snapshot' | 'parked' | 'skipped', count: number): void {
    if (count > 0) this.#others.push({ type: undefined, outcome, count })
  }

  /** The commit has come back. */
  figures(): { readonly figures: CommitFigures } {
    this.noteOthers('before-snapshot', this.#before)
    const { handled, hits, misses } = tallyOf(this.#settings).take()
    const nowMs = this.#settings.clock.now()
    const waitedMs = Math.max(0, nowMs - this.#oldestMs)
    return {
      figures: {
        outcomes: [...this.#outcomes(), ...this.#others],
        waited: this.#waited(nowMs),
        example: this.#oldest === undefined ? undefined : { traceparent: this.#oldest, waitedMs },
        traced: this.#traced,
        handled,
        tookMs: this.#settings.elapsedMs() - this.#beganMs,
        lookups: { hits, misses },
      },
    }
  }

  #countsOf(type: string): TypeCounts {
    let counts = this.#types.get(type)
    if (counts === undefined) this.#types.set(type, (counts = { type, done: 0, deferred: 0, dead: 0 }))
    this.#counts = counts
    return counts
  }

  #outcomes(): OutcomeCount[] {
    const outcomes: OutcomeCount[] = []
    for (const { type, done, deferred, dead } of this.#types.values()) {
      if (done > 0) outcomes.push({ type, outcome: 'done', count: done })
      if (deferred > 0) outcomes.push({ type, outcome: 'deferred', count: deferred })
      if (dead > 0) outcomes.push({ type, outcome: 'dead', count: dead })
    }
    return outcomes
  }

  /** Those that were looked at stand for those behind them. */
  #waited(nowMs: number): Lengths[] {
    const byTime = new Map<number, number>()
    for (const [at, atMs] of this.#times.entries()) {
      const place = at < exactUpTo ? at : exactUpTo + (at - exactUpTo) * everyOther
      const count = at < exactUpTo ? 1 : Math.min(everyOther, this.#events - place)
      byTime.set(atMs, (byTime.get(atMs) ?? 0) + count)
    }
    // The server's clock may be ahead of this one.
    return [...byTime].map(([atMs, count]) => ({ ms: Math.max(0, nowMs - atMs), count }))
  }
}
