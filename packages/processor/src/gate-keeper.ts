import type { ConsumerSettings } from './consumer-settings.ts'
import { sleep } from './engine/sleep.ts'

/** Stands at a consumer's gate: says whether a handler may start, and waits for the gate while it is closed. */
export class GateKeeper {
  readonly #settings: Pick<ConsumerSettings, 'gate' | 'timers' | 'tell'>
  readonly #stopping: AbortSignal
  readonly #opened: () => void
  /** What was told last. */
  #told = false
  #waiting = false
  /** The closed gate has asked for one try. */
  #tryOne = false

  /** @param opened Called when it is worth asking again. */
  constructor(
    settings: Pick<ConsumerSettings, 'gate' | 'timers' | 'tell'>,
    stopping: AbortSignal,
    opened: () => void,
  ) {
    this.#settings = settings
    this.#stopping = stopping
    this.#opened = opened
  }

  /** Whether the gate is closed now. What is handed over already may wait behind it, and that is no stall. */
  get paused(): boolean {
    const { gate, tell } = this.#settings
    const closed = gate !== undefined && !gate.open
    const told = this.#told
    // Noted first: whoever hears of it may look at the health, and so here, at once.
    this.#told = closed
    if (closed !== told) tell({ kind: closed ? 'paused' : 'resumed' })
    return closed
  }

  /** Whether a handler may start now. If not, `opened` is called in time. */
  allows(): boolean {
    if (!this.paused || this.#tryOne) return true
    if (!this.#waiting && !this.#stopping.aborted) void this.#wait()
    return false
  }

  /** A handler has started. */
  passed(): void {
    this.#tryOne = false
  }

  async #wait(): Promise<void> {
    this.#waiting = true
    try {
      await this.#settings.gate?.opened(this.#stopping)
      this.#tryOne = true
    } catch (error) {
      if (!this.#stopping.aborted) {
        this.#settings.tell({ kind: 'trouble', error })
        await sleep(this.#settings.timers, 1_000, this.#stopping)
      }
    }
    this.#waiting = false
    if (!this.#stopping.aborted) this.#opened()
  }
}
