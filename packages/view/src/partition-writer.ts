import { MillraceError, type Timers } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import type { Checkpoint } from './checkpoint.ts'
import type { Folding } from './view.ts'
import type { Held, ViewStore } from './view-store.ts'

/** Most events of one transaction. */
const mostAtOnce = 500
/** How long a checkpoint waits for a transaction that would move it on its way, in ms. */
const checkpointMs = 20
/** Pause before a checkpoint that could not be moved is tried again, in ms. */
const againMs = 1_000
/** Pauses between the tries of a transaction while the view cannot be reached, in ms: doubled up to the longest. */
const awayMs = { first: 100, longest: 2_000 }

interface Waiting {
  readonly recorded: Recorded
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** What a writer is made of. */
export interface PartitionWriterParts<Tx> {
  readonly store: Pick<ViewStore<Tx>, 'applyHeld'>
  readonly view: Folding<Tx>
  readonly held: Held
  readonly timers: Timers
  /** Whether the view can be reached has changed. */
  readonly changed: () => void
}

/** Writes the events of one partition: what comes while a transaction is under way goes into the next one, together. */
export class PartitionWriter<Tx> {
  readonly #parts: PartitionWriterParts<Tx>
  readonly #timers: Timers
  #queue: Waiting[] = []
  #working: Promise<void> | undefined
  /** Everything up to there is in the data, and the checkpoint is not there yet. */
  #reached: Checkpoint | undefined
  #cancel: (() => void) | undefined
  #ended = false

  /** The view could not be reached, and is tried again. */
  away = false
  #endPause: (() => void) | undefined

  constructor(parts: PartitionWriterParts<Tx>) {
    this.#parts = parts
    this.#timers = parts.timers
  }

  /**
   * Resolves when an event is in the data, however long the view is away meanwhile. Of one key, the next one is to be
   * written when the one before is.
   */
  async write(recorded: Recorded, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const giveUp = () =>
      reject(new MillraceError('view.taken', 'The event was given up before it was in the view'))
    signal.addEventListener('abort', giveUp, { once: true })
    this.#queue.push({ recorded, resolve, reject })
    this.#start()
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', giveUp)
    }
  }

  /** Everything up to a position is in the data: the checkpoint follows, with the next transaction or soon. */
  reached(position: Checkpoint): void {
    this.#reached = position
    if (!this.#working) this.#plan(checkpointMs)
  }

  /** Moves the checkpoint that is still to be moved, once, and plans nothing more. */
  async end(): Promise<void> {
    this.#ended = true
    this.#cancel?.()
    this.#endPause?.()
    await this.#working
    if (this.#reached) await this.#apply([])
  }

  #plan(afterMs: number): void {
    if (this.#ended) return
    this.#cancel ??= this.#timers.set(afterMs, () => this.#start())
  }

  #start(): void {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
      if (this.#queue.length > 0) this.#start()
      else if (this.#reached) this.#plan(checkpointMs)
    })
  }

  async #work(): Promise<void> {
    // What is handed over in the same breath comes along.
    await Promise.resolve()
    this.#cancel?.()
    this.#cancel = undefined
    do await this.#apply(this.#queue.splice(0, mostAtOnce))
    while (this.#queue.length > 0)
  }

  async #apply(batch: readonly Waiting[]): Promise<void> {
    const reached = this.#reached
    try {
      const events = batch.map(({ recorded }) => recorded)
      await this.#applyAtLast(events, reached)
      if (this.#reached === reached) this.#reached = undefined
      for (const { resolve } of batch) resolve()
    } catch (error) {
      // Which one it is, they show one by one.
      if (batch.length > 1 && !isPassing(error)) for (const one of batch) await this.#apply([one])
      else if (batch.length > 0) for (const { reject } of batch) reject(error)
      else this.#put(reached)
    }
  }

  /** Tries again while the view cannot be reached: nothing of it is in the data then, and nobody is to blame. */
  async #applyAtLast(events: readonly Recorded[], reached: Checkpoint | undefined): Promise<void> {
    const { store, view, held } = this.#parts
    for (let pauseMs = awayMs.first; ; pauseMs = Math.min(pauseMs * 2, awayMs.longest))
      try {
        await store.applyHeld(held, events, view, reached)
        this.#isAway(false)
        return
      } catch (error) {
        const unreached = error instanceof MillraceError && error.retryable && error.code !== 'view.taken'
        this.#isAway(unreached && !this.#ended)
        if (!this.away) throw error
        await this.#pause(pauseMs)
      }
  }

  #isAway(away: boolean): void {
    if (away === this.away) return
    this.away = away
    this.#parts.changed()
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timers.set(ms, () => this.#endPause?.())
      this.#endPause = () => {
        this.#endPause = undefined
        cancel()
        resolve()
      }
    })
  }

  /** A checkpoint alone could not be moved: the view is away, or in other hands, which the next event is told. */
  #put(reached: Checkpoint | undefined): void {
    if (this.#reached !== reached || this.#ended) return
    this.#reached = undefined
    this.#cancel ??= this.#timers.set(againMs, () => {
      this.#reached ??= reached
      this.#start()
    })
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof MillraceError && error.retryable
}
