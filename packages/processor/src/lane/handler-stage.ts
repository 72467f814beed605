import type { Event } from '@millrace/event'
import type { Handler } from '../model/handler.ts'
import type { Delivery } from './delivery.ts'
import { HandlerCall, type LaneAbort } from './handler-call.ts'
import type { LaneCore } from './lane-core.ts'
import type { Stage } from './stage.ts'

/** A plain handler: one delivery at a time; later ones wait in the lane. Without a promise when it returns none. */
export class HandlerStage implements Stage, LaneAbort {
  readonly listening = true
  readonly #lane: LaneCore
  readonly #handle: Handler<Event, unknown>
  control: AbortController | undefined
  closed = false
  #waiting: Delivery[] | undefined
  #running = false

  constructor(lane: LaneCore, handle: Handler<Event, unknown>) {
    this.#lane = lane
    this.#handle = handle
  }

  next(delivery: Delivery): void {
    if (this.#running) {
      this.#lane.hold(delivery)
      this.#waiting ??= []
      this.#waiting.push(delivery)
    } else this.#start(delivery)
  }

  close(): void {
    this.closed = true
    this.control?.abort()
    this.#waiting = undefined
  }

  /** Starts the handler for a delivery that is the current load. */
  #start(delivery: Delivery): void {
    const { event } = delivery
    if (event === undefined) return
    const call = new HandlerCall(this.#lane, delivery, this)
    let ending: Promise<void> | void
    try {
      ending = this.#handle(event, call)
    } catch (error) {
      call.over = true
      this.#lane.fail(error, delivery)
      return
    }
    if (ending === undefined) {
      call.over = true
      return
    }
    this.#running = true
    this.#lane.hold(delivery)
    ending.then(
      () => this.#ended(delivery, call),
      (error: unknown) => {
        call.over = true
        this.#lane.fail(error, delivery)
      },
    )
  }

  #ended(delivery: Delivery, call: HandlerCall): void {
    call.over = true
    this.#running = false
    this.#lane.release(delivery)
    while (!this.#running && !this.closed) {
      const next = this.#waiting?.shift()
      if (next === undefined) return
      this.#lane.run(this.#lane.trunk, next, () => {
        this.#start(next)
        this.#lane.release(next)
      })
    }
  }
}
