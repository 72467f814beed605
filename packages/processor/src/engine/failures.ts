import { MillraceError } from '@millrace/event'
import { backoffMs } from '../backoff.ts'
import type { Delivery } from '../lane/delivery.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { KeyLanes } from './key-lanes.ts'
import type { KeySlot } from './key-slot.ts'
import type { Later } from './later.ts'
import { noteOf } from './park-of.ts'

/** How often it is looked for deliveries that take too long, in ms. */
const lookEveryMs = 250

/** What failures ask of the engine that they are in. */
export interface FailuresOwner {
  /** The processor asks to begin again from where the store stands. */
  restart(error: unknown): void
  /** Something has changed: a key can go on, or does not any more. */
  changed(): void
}

/** Decides what becomes of a key when a delivery of it has failed: again after a pause, without it, or not at all. */
export class Failures {
  readonly #settings: EngineSettings
  readonly #partition: number
  readonly #lanes: KeyLanes
  readonly #later: Later
  readonly #owner: FailuresOwner

  constructor(
    settings: EngineSettings,
    partition: number,
    parts: { readonly lanes: KeyLanes; readonly later: Later },
    owner: FailuresOwner,
  ) {
    this.#settings = settings
    this.#partition = partition
    this.#lanes = parts.lanes
    this.#later = parts.later
    this.#owner = owner
  }

  /** A delivery has failed, and everything unsettled of its key waits again. */
  take(slot: KeySlot, delivery: Delivery | undefined, error: unknown): void {
    const { kindOf, processor, attempts } = this.#settings
    const kind = kindOf(error)
    if (kind === 'restart') {
      this.#owner.restart(error)
      return
    }
    // A timer that fires cannot be given up: the record counts on it.
    const event = delivery?.timer === undefined ? delivery : undefined
    const spent = kind === 'retry' && event !== undefined && event.attempt >= attempts
    if (event !== undefined && (kind === 'permanent' || (spent && processor.onExhausted === 'skip-event'))) {
      this.#lanes.fates.set(event, { error, spent })
      slot.phase = 'open'
      this.#lanes.wake(slot)
    } else if (spent && event !== undefined) this.#park(slot, event, error)
    else this.#backOff(slot, delivery, error, kind === 'retry')
    this.#owner.changed()
  }

  /** Looks from now on for deliveries that take too long. */
  watch(): void {
    this.#later.after(lookEveryMs, () => {
      this.#look()
      this.watch()
    })
  }

  #backOff(slot: KeySlot, delivery: Delivery | undefined, error: unknown, counts: boolean): void {
    const { retry, random, clock, tell } = this.#settings
    slot.phase = 'backing-off'
    slot.failures += 1
    if (slot.failures === 1) slot.firstFailedMs = clock.now()
    const delayMs = backoffMs(retry, slot.failures, random())
    const attempts = delivery?.attempt ?? slot.failures
    if (delivery !== undefined && counts) delivery.attempt += 1
    const seq = delivery?.recorded?.position.seq ?? slot.seq
    tell({ kind: 'retry', partition: this.#partition, seq, attempts, delayMs, error })
    this.#later.after(delayMs, () => {
      if (slot.phase !== 'backing-off') return
      slot.phase = 'open'
      if (slot.waiting.length > 0) this.#lanes.wake(slot)
      this.#owner.changed()
    })
  }

  /** The key waits for somebody to repair it. What was not settled, and what comes later, lines up. */
  #park(slot: KeySlot, blamed: Delivery, error: unknown): void {
    const { clock, tell } = this.#settings
    const { recorded } = slot.waiting.firstEvent ?? blamed
    if (recorded === undefined) return
    const { seq } = recorded.position
    const sinceMs = slot.failures > 0 ? slot.firstFailedMs : clock.now()
    const story = { error, attempts: blamed.attempt, tries: [], sinceMs, dueMs: undefined, spent: false }
    const park = { key: slot.key, head: seq, last: seq, lined: 0, note: noteOf(recorded, story) }
    this.#lanes.park(slot, park)
    tell({ kind: 'parked', partition: this.#partition, key: slot.key, seq: park.head, error })
  }

  #look(): void {
    const { handlerTimeoutMs, holdMs, elapsedMs, processor } = this.#settings
    const handler = processor.program.kind === 'handler'
    const most = handler ? handlerTimeoutMs : holdMs
    const nowMs = elapsedMs()
    for (const slot of this.#lanes.busy) {
      const first = slot.lane?.unsettled[0]
      if (first === undefined || nowMs - slot.headSinceMs < most) continue
      this.#lanes.recall(slot)
      const error = new MillraceError(
        handler ? 'handler.timeout' : 'pipeline.held',
        handler
          ? `The handler of ${processor.name} took more than ${most} ms`
          : `The pipeline of ${processor.name} held an event for more than ${most} ms`,
      )
      this.take(slot, first, error)
    }
  }
}
