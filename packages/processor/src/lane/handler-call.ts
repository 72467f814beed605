import { derivedId, MillraceError, type Topic } from '@millrace/event'
import type { Position } from '@millrace/log'
import type { AnyEffect } from '../model/effect.ts'
import type { HandlerContext } from '../model/handler.ts'
import { causeOf, type LooseDrafts, recordEffect, recordEmits, recordEnd, recordState } from './recording.ts'
import type { Delivery } from './delivery.ts'
import { recordNote } from './recorded-note.ts'
import type { LaneCore } from './lane-core.ts'

/** The signal of a lane's handlers: made when one is asked for. */
export interface LaneAbort {
  control: AbortController | undefined
  closed: boolean
}

/** One call of a plain handler. */
export class HandlerCall implements HandlerContext<unknown> {
  /** The handler has ended: what it still holds of this call is of no use. */
  over = false
  readonly #lane: LaneCore
  readonly #delivery: Delivery
  readonly #abort: LaneAbort

  constructor(lane: LaneCore, delivery: Delivery, abort: LaneAbort) {
    this.#lane = lane
    this.#delivery = delivery
    this.#abort = abort
  }

  get key(): string {
    return this.#delivery.key
  }

  get position(): Position {
    const { recorded } = this.#delivery
    if (recorded === undefined) throw new TypeError('Bug: a handler was called without an event')
    return recorded.position
  }

  get attempt(): number {
    return this.#delivery.attempt
  }

  get late(): boolean {
    return this.#delivery.origin === 'late'
  }

  get state(): unknown {
    return this.#lane.memory.latest.state
  }

  get idempotencyKey(): string {
    return derivedId(this.#lane.processor.name, causeOf(this.#delivery).id)
  }

  get signal(): AbortSignal {
    if (this.#abort.control === undefined) {
      this.#abort.control = new AbortController()
      if (this.#abort.closed) this.#abort.control.abort()
    }
    return this.#abort.control.signal
  }

  evolve(next: unknown): void {
    recordState(this.#lane, this.#going('evolve'), next)
  }

  emit(topic: Topic, drafts: LooseDrafts): void {
    recordEmits(this.#lane, this.#going('emit'), topic, drafts)
  }

  effect(definition: AnyEffect, payload: unknown): void {
    recordEffect(this.#lane, this.#going('effect'), definition, payload)
  }

  note(text: string, details: Readonly<Record<string, string | number>> = {}): void {
    recordNote(this.#going('note'), this.#lane.clock, text, details)
  }

  defer(why: string): void {
    recordEnd(this.#lane, this.#going('defer'), 'deferred', why)
  }

  dead(why: string): void {
    recordEnd(this.#lane, this.#going('dead'), 'dead', why)
  }

  #going(what: string): Delivery {
    if (this.over || this.#lane.over)
      throw new MillraceError(
        'pipeline.unheld',
        `context.${what} was called after its handler had ended: await everything that the handler starts`,
      )
    return this.#delivery
  }
}
