import type { Event } from '@millrace/event'
import { Observable, Subscriber, type Subscription } from 'rxjs'
import { now } from './current.ts'
import type { Delivery } from './delivery.ts'
import type { LaneCore } from './lane-core.ts'
import { resubscribed } from './pipeline-fault.ts'
import type { Stage } from './stage.ts'

/** A pipeline, subscribed once. */
export class PipelineStage implements Stage {
  readonly #lane: LaneCore
  // Replaced, never changed: an event goes to those that listened when it came. A Subject of rxjs does the same and
  // costs a tenth of the whole lane.
  #listeners: readonly Subscriber<Event>[] = []
  #subscription: Subscription | undefined
  #built = false

  constructor(lane: LaneCore, build: (lane: Observable<Event>) => Observable<unknown>) {
    this.#lane = lane
    const { place } = now
    now.place = lane.trunk
    try {
      this.#subscription = build(this.#source()).subscribe(new PipelineEnd(lane))
    } catch (error) {
      lane.fail(error)
    } finally {
      now.place = place
      this.#built = true
    }
  }

  get listening(): boolean {
    return this.#listeners.length > 0
  }

  next(delivery: Delivery): void {
    const { event } = delivery
    if (event !== undefined) for (const listener of this.#listeners) listener.next(event)
  }

  close(): void {
    this.#subscription?.unsubscribe()
  }

  #source(): Observable<Event> {
    return new Observable((subscriber) => {
      // Later, only inner streams may listen in: their own delivery is held while they wait for another.
      if (this.#built && now.place?.inner === undefined) throw this.#lane.fault(resubscribed())
      this.#listeners = [...this.#listeners, subscriber]
      return () => {
        this.#listeners = this.#listeners.filter((listener) => listener !== subscriber)
      }
    })
  }
}

/** What comes out of a pipeline. */
class PipelineEnd extends Subscriber<unknown> {
  readonly #lane: LaneCore

  constructor(lane: LaneCore) {
    super()
    this.#lane = lane
  }

  protected override _next(): void {
    this.#lane.output()
  }

  protected override _error(error: unknown): void {
    // First: what is unsubscribed then must not fail the lane for its own reason.
    this.#lane.fail(error)
    this.unsubscribe()
  }

  protected override _complete(): void {
    this.#lane.complete()
    this.unsubscribe()
  }
}
