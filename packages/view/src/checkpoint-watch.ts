import { MillraceError } from '@millrace/event'
import { formatPosition, type Position } from '@millrace/log'
import type { Moved, ViewStore } from './view-store.ts'

/** Options of {@link CheckpointWatch}. Times in ms. */
export interface CheckpointWatchOptions {
  /** How often the view is asked, for what other processes apply. Default 50. */
  readonly pollMs?: number
  /** Most who may wait at once. Default 1,000. */
  readonly mostWaiting?: number
}

/** Most events behind the checkpoint that are remembered of a partition; the others are found by asking. */
const mostAhead = 2_000

interface Waiting {
  readonly position: Position
  readonly key: string | undefined
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
  /** Of each partition, what this process has applied behind the checkpoint that it knows. */
  readonly #ahead = new Map<number, ReadonlyMap<number, string>>()

  constructor(
    store: Pick<ViewStore<never>, 'checkpoints' | 'onMoved'>,
    options: CheckpointWatchOptions = {},
  ) {
    this.#store = store
    this.#pollMs = options.pollMs ?? 50
    this.#mostWaiting = options.mostWaiting ?? 1_000
    this.#forget = store.onMoved((moved) => this.#applied(moved))
  }

  /**
   * Resolves when everything up to a position is in the view.
   *
   * @param key Whose data are to be read. Is the event at the position of that key, it is enough that this one is in
   *   the view, which has everything that the key had before.
   * @throws MillraceError `view.behind` after the time, `service.busy` when too many wait already; what asking the
   *   view throws
   */
  async reached(position: Position, timeoutMs: number, key?: string): Promise<void> {
    if (this.#waiting.size >= this.#mostWaiting)
      throw new MillraceError('service.busy', 'Too many reads wait for the view')
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    if (isOf(key, this.#ahead.get(position.partition), position)) return
    const waiting = { position, key, resolve, reject }
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
    this.#resolve(({ position }) => position.partition === partition && position.seq <= seq)
  }

  /** An event is in the data with all that its key has had before, wherever the checkpoint stands. */
  #applied({ partition, checkpoint, applied }: Moved): void {
    const before = this.#ahead.get(partition) ?? []
    const beyond = [...before, ...applied].filter(([seq]) => seq > checkpoint.seq)
    const ahead = new Map(beyond.slice(-mostAhead))
    this.#ahead.set(partition, ahead)
    this.#resolve(
      ({ position, key }) =>
        position.partition === partition && (position.seq <= checkpoint.seq || isOf(key, ahead, position)),
    )
  }

  #resolve(reached: (waiting: Waiting) => boolean): void {
    for (const waiting of this.#waiting) {
      if (!reached(waiting)) continue
      this.#waiting.delete(waiting)
      waiting.resolve()
    }
  }
}

/** Whether a position is that of an event of a key which is in the data. */
function isOf(
  key: string | undefined,
  ahead: ReadonlyMap<number, string> | undefined,
  { seq }: Position,
): boolean {
  return key !== undefined && ahead?.get(seq) === key
}

function behind(position: Position, timeoutMs: number): MillraceError {
  return new MillraceError(
    'view.behind',
    `The view has not reached ${formatPosition(position)} within ${timeoutMs} ms`,
    { details: { position: formatPosition(position), retryAfterSeconds: 1 } },
  )
}
