import { MillraceError } from '@millrace/event'
import type { Logger } from './logger.ts'

/** Something that is started and stopped: a pool, a listener, a loop. */
export interface Part {
  readonly name: string
  start?(): Promise<void> | void
  stop?(): Promise<void> | void
  /** Time that stopping may take, in ms. Default: the lifecycle's. */
  readonly stopTimeoutMs?: number
}

/** Options of {@link Lifecycle}. */
export interface LifecycleOptions {
  readonly logger?: Pick<Logger, 'info' | 'error'>
  /** Bound of each part's stop, in ms. Default 5,000. */
  readonly stopTimeoutMs?: number
}

/**
 * Starts parts in the order in which they were added and stops them in the reverse order. A part that fails
 * to start takes those before it down again.
 *
 *     new ──start()──▶ running ──stop()──▶ stopped
 *                 └── a part fails: stop ──▶ stopped
 */
export class Lifecycle {
  readonly #parts: Part[] = []
  readonly #started: Part[] = []
  readonly #options: LifecycleOptions
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined

  constructor(options: LifecycleOptions = {}) {
    this.#options = options
  }

  /** Adds a part. Only before the start. */
  add(part: Part): this {
    if (this.#starting) throw new TypeError(`${part.name} was added after the start`)
    this.#parts.push(part)
    return this
  }

  /** Starts everything; throws what the first failing part threw, after stopping the others. */
  start(): Promise<void> {
    return (this.#starting ??= this.#start())
  }

  /**
   * Stops everything, each part within its bound, whatever happens to the others. May be called at any time and
   * again: it is the same stop. During the start it lets the part in hand come up first.
   *
   * @throws MillraceError `stop.failed` with all failures (an AggregateError) as its cause
   */
  stop(): Promise<void> {
    return (this.#stopping ??= this.#stop())
  }

  async #start(): Promise<void> {
    for (const part of this.#parts) {
      if (this.#stopping) return
      try {
        // Noted first: what fails half-way may hold something that only its stop lets go.
        this.#started.push(part)
        await part.start?.()
      } catch (error) {
        // A stop that was called meanwhile waits for this start to end, and does the rest.
        if (!this.#stopping) {
          this.#stopping = this.#stopStarted()
          await this.#stopping.catch((stopError: unknown) =>
            this.#options.logger?.error('Not everything could be stopped after a failed start', {
              err: stopError,
            }),
          )
        }
        throw error
      }
    }
  }

  async #stop(): Promise<void> {
    // A failed start is its caller's to handle; here it only means that there is less to stop.
    await this.#starting?.catch(() => undefined)
    await this.#stopStarted()
  }

  async #stopStarted(): Promise<void> {
    const failures: Error[] = []
    for (let part = this.#started.pop(); part; part = this.#started.pop()) {
      const { name } = part
      try {
        await bounded(part, part.stopTimeoutMs ?? this.#options.stopTimeoutMs ?? 5_000)
      } catch (cause) {
        const error = new Error(
          `${name} did not stop: ${cause instanceof Error ? cause.message : String(cause)}`,
          { cause },
        )
        this.#options.logger?.error(error.message, { part: name, err: cause })
        failures.push(error)
      }
    }
    if (failures.length > 0)
      throw new MillraceError('stop.failed', failures.map(({ message }) => message).join('; '), {
        cause: new AggregateError(failures),
      })
  }
}

async function bounded(part: Part, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it took longer than ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    await Promise.race([part.stop?.(), late])
  } finally {
    clearTimeout(timer)
  }
}
