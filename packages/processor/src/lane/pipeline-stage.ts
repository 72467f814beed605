import type { Event } from '@millrace/event'
import { Observable, Subject, type Subscription } from 'rxjs'
import { now } from './current.ts'
import type { Delivery } from './delivery.ts'
import type { LaneCore } from './lane-core.ts'
import { resubscribed } from './pipeline-fault.ts'
import type { Stage } from './stage.ts'

/** A pipeline, subscribed once. */
export class PipelineStage implements Stage {
  readonly #lane: LaneCore
  readonly #events = new Subject<Event>()
  #subscription: Subscription | undefined
  #built = false

  constructor(lane: LaneCore, build: (lane: Observable<Event>) => Observable<unknown>) {
    this.#lane = lane
    const { place } = now
    now.place = lane.trunk
    try {
      this.#subscription = build(this.#source()).subscribe({
        next: () => lane.output(),
        error: (error: unknown) => lane.fail(error),
        complete: () => lane.complete(),
      })
    } catch (error) {
      lane.fail(error)
    } finally {
      now.place = place
      this.#built = true
    }
  }

  get listening(): boolean {
    return this.#events.observed
  }

  next(delivery: Delivery): void {
    if (delivery.event !== undefined) this.#events.next(delivery.event)
  }

  close(): void {
    this.#subscription?.unsubscribe()
  }

  #source(): Observable<Event> {
    return new Observable((subscriber) => {
      // Later, only inner streams may listen in: their own delivery is held while they wait for another.
      if (this.#built && now.place?.inner === undefined) throw this.#lane.fault(resubscribed())
      return this.#events.subscribe(subscriber)
    })
  }
}
