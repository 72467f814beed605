import { MillraceError } from '@millrace/event'
import type { EngineSettings } from './engine-settings.ts'
import type { Failures } from './failures.ts'
import type { KeyLanes } from './key-lanes.ts'
import type { KeySlot } from './key-slot.ts'
import type { Later } from './later.ts'
import type { SeqWindow } from './seq-window.ts'

/** How often it is looked for deliveries that take too long, in ms. */
const lookEveryMs = 250

/** What a slow watch works with. */
export interface SlowWatchParts {
  readonly lanes: KeyLanes
  readonly later: Later
  readonly failures: Failures
  readonly window: SeqWindow
}

/** Looks for deliveries that take too long, or hold up what others have settled behind them. */
export class SlowWatch {
  readonly #settings: EngineSettings
  readonly #parts: SlowWatchParts

  constructor(settings: EngineSettings, parts: SlowWatchParts) {
    this.#settings = settings
    this.#parts = parts
  }

  /** Looks from now on. */
  start(): void {
    this.#parts.later.after(lookEveryMs, () => {
      this.#look()
      this.start()
    })
  }

  #look(): void {
    const { handlerTimeoutMs, holdMs, holdEvents, elapsedMs, processor } = this.#settings
    const { lanes, window } = this.#parts
    const handler = processor.program.kind === 'handler'
    const most = handler ? handlerTimeoutMs : holdMs
    const nowMs = elapsedMs()
    const holding = window.settledAhead > holdEvents ? window.position.seq + 1 : undefined
    for (const slot of lanes.busy) {
      const first = slot.lane?.unsettled[0]
      if (first === undefined) continue
      if (nowMs - slot.headSinceMs >= most) this.#tooLong(slot, handler, most)
      else if (first.origin === 'log' && first.recorded?.position.seq === holding)
        this.#setAside(slot, `${window.settledAhead} later events were settled before it`)
    }
  }

  #tooLong(slot: KeySlot, handler: boolean, most: number): void {
    const { lanes, failures } = this.#parts
    const { name } = this.#settings.processor
    const first = slot.lane?.unsettled[0]
    if (!handler && first?.origin === 'log' && first.recorded !== undefined) {
      this.#setAside(slot, `The pipeline of ${name} held it for more than ${most} ms`)
      return
    }
    slot.tookMs = this.#settings.elapsedMs() - slot.headSinceMs
    lanes.recall(slot)
    const error = handler
      ? new MillraceError('handler.timeout', `The handler of ${name} took more than ${most} ms`)
      : new MillraceError('pipeline.held', `The pipeline of ${name} held an event for more than ${most} ms`)
    failures.take(slot, first, error)
  }

  #setAside(slot: KeySlot, why: string): void {
    this.#parts.failures.setAside(slot, new MillraceError('pipeline.held', why))
  }
}
