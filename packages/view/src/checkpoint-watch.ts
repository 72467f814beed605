import { MillraceError } from '@millrace/event'
import { formatPosition, type Position } from '@millrace/log'
import type { ViewStore } from './view-store.ts'

/** Options of {@link CheckpointWatch}. Times in ms. */
export interface CheckpointWatchOptions {
  /** How often the view is asked, for what other processes apply. Default 50. */
  readonly pollMs?: number
  /** Most who may wait at once. Default 1,000. */
  readonly mostWaiting?: number
}

interface Waiting {
  readonly position: Position
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * Lets reads wait until a view has reached a position: by a signal when this process applies the events, and by
 * asking the view, once for all who wait, when another one does.
 */
export class CheckpointWatch {
  readonly #store: Pick<ViewStore<never>, 'checkpoints' | 'onMoved'>
  readonly #pollMs: number
  readonly #mostWaiting: number
  readonly #waiting = new Set<Waiting>()
  readonly #forget: () => void
  #timer: NodeJS.Timeout | undefined
  #asking = false

  constructor(
    store: Pick<ViewStore<never>, 'checkpoints' | 'onMoved'>,
    options: CheckpointWatchOptions = {},
  ) {
    this.#store = store
    this.#pollMs = options.pollMs ?? 50
    this.#mostWaiting = options.mostWaiting ?? 1_000
    this.#forget = store.onMoved((partition, { seq }) => this.#moved(partition, seq))
  }

  /**
   * Resolves when the view has reached a position.
   *
   * @throws MillraceError `view.behind` after the time, `service.busy` when too many wait already; what asking the
   *   view throws
   */
  async reached(position: Position, timeoutMs: number): Promise<void> {
    if (this.#waiting.size >= this.#mostWaiting)
      throw new MillraceError('service.busy', 'Too many reads wait for the view')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting = { position, resolve, reject }
    const late = setTimeout(() => reject(behind(position, timeoutMs)), timeoutMs)
    this.#waiting.add(waiting)
    void this.#ask()
    try {
      await promise
    } finally {
      clearTimeout(late)
      this.#waiting.delete(waiting)
    }
  }

  /** Lets go of whoever waits. */
  stop(): void {
    this.#forget()
    clearTimeout(this.#timer)
    for (const { reject } of this.#waiting)
      reject(new MillraceError('service.unavailable', 'The service is stopping'))
  }

  async #ask(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    clearTimeout(this.#timer)
    try {
      for (const [partition, { seq }] of await this.#store.checkpoints()) this.#moved(partition, seq)
    } catch (error) {
      for (const { reject } of this.#waiting) reject(error)
    }
    this.#asking = false
    if (this.#waiting.size > 0) this.#timer = setTimeout(() => void this.#ask(), this.#pollMs)
  }

  #moved(partition: number, seq: number): void {
    for (const waiting of this.#waiting) {
      if (waiting.position.partition !== partition || waiting.position.seq > seq) continue
      this.#waiting.delete(waiting)
      waiting.resolve()
    }
  }
}

function behind(position: Position, timeoutMs: number): MillraceError {
  return new MillraceError(
    'view.behind',
    `The view has not reached ${formatPosition(position)} within ${timeoutMs} ms`,
    { details: { position: formatPosition(position), retryAfterSeconds: 1 } },
  )
}
