import { MillraceError } from '@millrace/event'

/** Bounds of {@link repeatUnknown}. */
export interface RepeatBounds {
  /** Most attempts, the first one counted. Default 5. */
  readonly attempts?: number
  /** Time for all of them, in ms. Default 3,000. */
  readonly timeoutMs?: number
  /** Wait before the second attempt, in ms, doubled before each further one. Default 25. */
  readonly waitMs?: number
  /** Ends it early, as the time limit does. */
  readonly signal?: AbortSignal | undefined
}

const defaults = { attempts: 5, timeoutMs: 3_000, waitMs: 25 } satisfies RepeatBounds

/**
 * Repeats the very same append while nobody knows what became of it. Safe because an append is idempotent by
 * event id: `act` must send the same events each time.
 *
 * What surely wrote nothing is thrown at once, except after an unknown attempt: then only a success or a refusal
 * by the log ends it, because "nothing was written" would be said of the last attempt alone.
 *
 * @throws MillraceError `append.unknown` when attempts or time have run out
 */
export function repeatUnknown<T>(act: () => Promise<T>, bounds: RepeatBounds = {}): Promise<T> {
  // One promise, because every append passes here, and nearly always the first attempt is all.
  return new Promise((resolve, reject) => {
    const end = new Deadline(bounds.timeoutMs ?? defaults.timeoutMs, bounds.signal)
    const repeat = (error: unknown): void => {
      repeatAfter(error, act, bounds, end)
        .finally(() => end.clear())
        .then(resolve, reject)
    }
    end.attempt(
      act,
      (value) => {
        end.clear()
        resolve(value)
      },
      repeat,
    )
  })
}

async function repeatAfter<T>(
  first: unknown,
  act: () => Promise<T>,
  bounds: RepeatBounds,
  end: Deadline,
): Promise<T> {
  const { attempts, waitMs } = { ...defaults, ...bounds }
  let unknown: MillraceError | undefined
  let error = first
  for (let attempt = 1; ; attempt++) {
    if (!(error instanceof MillraceError)) throw error
    if (isUnknown(error)) unknown = error
    else if (error.code !== 'append.gated' && !(unknown && unreached.has(error.code))) throw error
    const open = unknown ? stillUnknown(unknown) : error
    if (attempt === attempts || end.passed) throw open
    await end.wait(waitMs * 2 ** (attempt - 1))
    if (end.passed) throw open
    try {
      return await end.race(act)
    } catch (next) {
      error = next
    }
  }
}

// After an unknown attempt these say nothing about that one.
const unreached = new Set<string>(['log.unavailable', 'service.unavailable', 'service.busy', 'append.gated'])

/** Whether an error leaves open what became of the append. */
function isUnknown(error: MillraceError): boolean {
  return (
    error.code === 'append.unknown' ||
    error.code === 'request.overdue' ||
    (error.code === 'service.unavailable' && error.details['outcome'] === 'unknown')
  )
}

function stillUnknown(cause: MillraceError): MillraceError {
  return cause.code === 'append.unknown' ? cause : new MillraceError('append.unknown', undefined, { cause })
}

/** A time limit that several waits share; one of them at a time. */
class Deadline {
  passed = false
  readonly #timer: NodeJS.Timeout
  readonly #signal: AbortSignal | undefined
  // What ends the present wait. No promise and no race of promises: every append passes here.
  #end: (() => void) | undefined
  readonly #reach = (): void => {
    this.passed = true
    this.#end?.()
  }

  constructor(timeoutMs: number, signal: AbortSignal | undefined) {
    this.#timer = setTimeout(this.#reach, timeoutMs)
    this.#signal = signal
    if (signal?.aborted) this.#reach()
    else signal?.addEventListener('abort', this.#reach, { once: true })
  }

  /** What the work comes to, or `append.unknown` when the time is over before that. */
  race<T>(act: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => this.attempt(act, resolve, reject))
  }

  /** The same, for a caller that has a promise already. Each of the two may be called after the other: the first counts. */
  attempt<T>(act: () => Promise<T>, done: (value: T) => void, failed: (error: unknown) => void): void {
    let open = true
    const fail = (error: unknown): void => {
      if (open) failed(error)
      open = false
    }
    this.#wait(() =>
      fail(new MillraceError('append.unknown', 'It was not known in time whether the append took place')),
    )
    const succeed = (value: T): void => {
      if (open) done(value)
      open = false
    }
    act().then(succeed, fail)
  }

  /** Resolves after that time, or when the whole time is over. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wait(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#reach)
  }

  #wait(end: () => void): void {
    this.#end = end
    if (this.passed) end()
  }
}
