import { catalogue, type ErrorCode, type FieldError, MillraceError } from '@millrace/event'

const ours = new Set(['type', 'title', 'status', 'detail', 'instance', 'code', 'correlationId', 'errors'])

/**
 * What a peer's answer of 400 or above means: its own error when it answered a problem whose code the
 * catalogue knows, else `service.failed`, or `service.unavailable` for 502, 503 and 504 of a proxy between.
 */
export function errorOfAnswer(name: string, response: Response, text: string): MillraceError {
  const problem = problemIn(response, text)
  const code = problem?.['code']
  if (problem && isErrorCode(code)) {
    const details = Object.fromEntries(Object.entries(problem).filter(([member]) => !ours.has(member)))
    const detail = problem['detail']
    return new MillraceError(code, typeof detail === 'string' ? detail : undefined, {
      details,
      errors: fieldErrorsIn(problem['errors']),
    })
  }
  const gateway = response.status >= 502 && response.status <= 504
  const details = { service: name, answered: response.status, ...(gateway ? { outcome: 'unknown' } : {}) }
  return new MillraceError(
    gateway ? 'service.unavailable' : 'service.failed',
    `${name} answered ${response.status}`,
    { details },
  )
}

function problemIn(response: Response, text: string): Readonly<Record<string, unknown>> | undefined {
  if (!(response.headers.get('content-type') ?? '').startsWith('application/problem+json')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(catalogue, code)
}

function fieldErrorsIn(value: unknown): readonly FieldError[] {
  if (!Array.isArray(value)) return []
  return value.filter(
    (entry: unknown): entry is FieldError =>
      typeof entry === 'object' &&
      entry !== null &&
      'field' in entry &&
      typeof entry.field === 'string' &&
      'message' in entry &&
      typeof entry.message === 'string',
  )
}
