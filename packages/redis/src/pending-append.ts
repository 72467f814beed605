import { MillraceError } from '@millrace/event'
import type { AppendResult } from '@millrace/log'

/** One call of `append` under way: settles when each of its units is answered or has failed. */
export class PendingAppend {
  readonly answer: Promise<readonly AppendResult[]>
  readonly #results: AppendResult[]
  #settle: () => void = () => undefined
  #left: number
  #written = false
  #error: Error | undefined

  constructor(units: number) {
    this.#results = new Array<AppendResult>(units)
    this.#left = units
    this.answer = new Promise((resolve, reject) => {
      this.#settle = () => {
        if (this.#error === undefined) resolve(this.#results)
        else reject(this.#written ? partly(this.#error) : this.#error)
      }
    })
    if (units === 0) this.#settle()
  }

  /** The first error of one of its units. */
  get error(): Error | undefined {
    return this.#error
  }

  /** The unit at `place` has its result. */
  take(place: number, result: AppendResult): void {
    this.#results[place] = result
    if (result.status === 'appended') this.#written = true
    if (--this.#left === 0) this.#settle()
  }

  /** A unit failed, or is not sent because one before it failed: then the first error stays. */
  fail(error: Error): void {
    this.#error ??= error
    if (--this.#left === 0) this.#settle()
  }
}

// "Nothing was written" is not true of a call of which another part was.
function partly(error: Error): Error {
  if (!(error instanceof MillraceError && error.code === 'log.unavailable')) return error
  return new MillraceError('append.unknown', 'A part of the append is on the log and a part is not', {
    cause: error,
  })
}
