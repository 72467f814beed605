import { type Clock, MillraceError, upcast } from '@millrace/event'
import { formatPosition, type Recorded } from '@millrace/log'
import { Occasion } from '../engine/occasion.ts'
import { createLane } from '../lane/create-lane.ts'
import { Delivery } from '../lane/delivery.ts'
import type { Lane } from '../lane/lane.ts'
import type { Timers } from '../lane/timers.ts'
import { emptyRecord, type KeyRecord } from '../model/key-record.ts'
import type { DueTimer } from '../model/outcome.ts'
import type { Processor } from '../model/processor.ts'
import { asOfOf, isBeforeSnapshot } from '../model/taken-over.ts'

/** What the folds of keys work with. */
export interface FoldSettings {
  readonly processor: Processor
  readonly clock: Clock
  /** Time in the lanes. */
  readonly timers: Timers
  /** Attempts that an event may cost before the fold fails. */
  readonly attempts: number
  /** A delivery is settled, with all that it has brought about. */
  readonly settled?: (delivery: Delivery) => void
}

/**
 * Folds the history of one key as its lane does, and carries nothing of it out: no commit, no emit, no effect. Events
 * that are set aside are offered again behind each later one, and once more as long as one of them finds what it waits
 * for, as the engine does.
 */
export class KeyFold {
  readonly key: string
  /** Events that the program has set aside, in order. */
  deferred: readonly Recorded[] = []
  /** Events that it has given up, or cannot read. */
  readonly dead: Recorded[] = []
  readonly #settings: FoldSettings
  #record: KeyRecord
  #lane: Lane | undefined
  /** What a lane that is over has thrown back, and what came since. */
  #again: Delivery[] | undefined
  #failure: { readonly delivery: Delivery | undefined; readonly error: unknown } | undefined
  readonly #changed = new Occasion()

  constructor(settings: FoldSettings, key: string, record: KeyRecord = emptyRecord) {
    this.#settings = settings
    this.key = key
    this.#record = record
  }

  /** The key's record after everything that is settled. */
  get record(): KeyRecord {
    return this.#lane?.record ?? this.#record
  }

  /** Nothing is under way. */
  get idle(): boolean {
    return this.#again === undefined && (this.#lane === undefined || this.#lane.inHand === 0)
  }

  /** Folds the next event, or a late one in its place; what it answers is to be awaited. */
  take(recorded: Recorded, origin: 'log' | 'late' = 'log'): Promise<void> | undefined {
    const asOf = asOfOf(this.record)
    // What the key was taken over with has it already.
    if (asOf !== undefined && isBeforeSnapshot(asOf, recorded)) return undefined
    const present = this.#present(recorded)
    if (present === undefined) return undefined
    const delivery = Delivery.ofEvent(present)
    delivery.origin = origin
    if (this.deferred.length > 0) return this.#withOffers(delivery)
    this.#feed(delivery)
    return undefined
  }

  /** A durable timer fires here. */
  fire(timer: DueTimer): void {
    this.#feed(Delivery.ofTimer(this.key, timer))
  }

  /**
   * Resolves when everything is settled.
   *
   * @throws MillraceError `replay.failed`: the program cannot handle an event
   */
  async settled(): Promise<void> {
    for (;;) {
      const again = this.#again
      if (again !== undefined) {
        this.#again = undefined
        this.#judge()
        for (const delivery of again) this.#feed(delivery)
      } else if (this.idle) return
      else await this.#changed.next()
    }
  }

  close(): void {
    this.#record = this.record
    this.#lane?.close()
    this.#lane = undefined
  }

  async #withOffers(next: Delivery): Promise<void> {
    await this.settled()
    this.#feed(next)
    await this.settled()
    while (await this.#offerAgain()) if (this.deferred.length === 0) return
  }

  /** Offers what is set aside, in order; answers whether any of it has found what it waits for. */
  async #offerAgain(): Promise<boolean> {
    const offered = this.deferred
    for (const one of offered) {
      this.deferred = this.deferred.filter((other) => other !== one)
      this.#feed(Delivery.ofEvent(one))
      await this.settled()
    }
    return this.deferred.length < offered.length
  }

  #present({ event, position }: Recorded): Recorded | undefined {
    const { asStored, topic } = this.#settings.processor
    if (asStored) return { event, position }
    try {
      return { event: upcast(topic, event), position }
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      this.dead.push({ event, position })
      return undefined
    }
  }

  #feed(delivery: Delivery): void {
    if (this.#again !== undefined) {
      this.#again.push(delivery)
      return
    }
    const lane = (this.#lane ??= this.#open())
    if (delivery.timer === undefined) lane.feed(delivery)
    else lane.fire(delivery)
  }

  #open(): Lane {
    const { processor, timers, clock } = this.#settings
    const retire = () => {
      this.#record = lane.record
      this.#lane = undefined
      this.#again = [...lane.unsettled]
      this.#changed.call()
    }
    const lane = createLane(processor, {
      key: this.key,
      record: this.#record,
      timers,
      clock,
      hooks: {
        settled: (delivery, together) => {
          for (const one of together) this.#settled(one)
          this.#settled(delivery)
          this.#changed.call()
        },
        failed: (delivery, error) => {
          this.#failure = { delivery, error }
          retire()
        },
        ended: retire,
      },
    })
    return lane
  }

  #settled(delivery: Delivery): void {
    const { recorded, outcome } = delivery
    if (outcome === 'dead' && recorded !== undefined) this.dead.push(recorded)
    if (outcome === 'deferred' && recorded !== undefined)
      this.deferred = [...this.deferred, recorded].toSorted((a, b) => a.position.seq - b.position.seq)
    this.#settings.settled?.(delivery)
  }

  #judge(): void {
    const failure = this.#failure
    this.#failure = undefined
    if (failure === undefined) return
    const { delivery, error } = failure
    if (delivery !== undefined && delivery.attempt < this.#settings.attempts) {
      delivery.attempt += 1
      return
    }
    const at = delivery?.recorded && formatPosition(delivery.recorded.position)
    const message = error instanceof Error ? error.message : String(error)
    throw new MillraceError('replay.failed', `Key ${this.key}, ${at ?? 'a timer'}: ${message}`, {
      cause: error,
      details: { key: this.key, ...(at === undefined ? {} : { position: at }) },
    })
  }
}
