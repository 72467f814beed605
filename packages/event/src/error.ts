import { catalogue, type ErrorCode } from './catalogue.ts'

/** A fault of one field, as problem details carry them. */
export interface FieldError {
  readonly field: string
  readonly message: string
}

/** What an error may carry beside its message; `details` are safe to show to a caller. */
export interface MillraceErrorOptions {
  readonly cause?: unknown
  readonly details?: Readonly<Record<string, unknown>>
  readonly errors?: readonly FieldError[]
}

/** The one exception class. What it means is in the catalogue under its code. */
export class MillraceError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly retryable: boolean
  readonly title: string
  readonly details: Readonly<Record<string, unknown>>
  readonly errors: readonly FieldError[]

  constructor(code: ErrorCode, message?: string, options: MillraceErrorOptions = {}) {
    const entry = catalogue[code]
    super(message ?? entry.title, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'MillraceError'
    this.code = code
    this.status = entry.status
    this.retryable = entry.retryable
    this.title = entry.title
    this.details = options.details ?? {}
    this.errors = options.errors ?? []
  }
}
