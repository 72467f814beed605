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

interface Waiting {
  readonly recorded: Recorded
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Writes the events of one partition: what comes while a transaction is under way goes into the next one, together. */
export class PartitionWriter<Tx> {
  readonly #store: Pick<ViewStore<Tx>, 'applyHeld'>
  readonly #view: Folding<Tx>
  readonly #held: Held
  readonly #timers: Timers
  #queue: Waiting[] = []
  #working: Promise<void> | undefined
  /** Everything up to there is in the data, and the checkpoint is not there yet. */
  #reached: Checkpoint | undefined
  #cancel: (() => void) | undefined
  #ended = false

  constructor(store: Pick<ViewStore<Tx>, 'applyHeld'>, view: Folding<Tx>, held: Held, timers: Timers) {
    this.#store = store
    this.#view = view
    this.#held = held
    this.#timers = timers
  }

  /** Resolves when an event is in the data. Of one key, the next one is to be written when the one before is. */
  write(recorded: Recorded): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ recorded, resolve, reject })
      this.#start()
    })
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
      await this.#store.applyHeld(this.#held, events, this.#view, reached)
      if (this.#reached === reached) this.#reached = undefined
      for (const { resolve } of batch) resolve()
    } catch (error) {
      // Which one it is, they show one by one.
      if (batch.length > 1 && !isPassing(error)) for (const one of batch) await this.#apply([one])
      else if (batch.length > 0) for (const { reject } of batch) reject(error)
      else this.#put(reached)
    }
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
