import { maskText, MillraceError } from '@millrace/event'

/** Fields of a log line.  */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * What may stand in a log line. Everything else is left out and only named: payloads cannot get into the
 * log by accident. A service adds its own names when it makes its logger.
 */
export const allowedFields: readonly string[] = (
  'err code status state reason signal attempt retryable ' +
  'method route ms bytes count total port host url version pid exitCode ' +
  'topic partition seq position group member lease lag type eventid key ' +
  'dependency constraint field file name part address messageid mode setting'
).split(' ')

/** Picks the allowed fields and masks their texts. `undefined` stays out. */
export function visibleFields(fields: LogFields, allowed: ReadonlySet<string>): Record<string, unknown> {
  const visible: Record<string, unknown> = {}
  const left: string[] = []
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue
    if (allowed.has(name)) visible[name] = visibleValue(value)
    else left.push(name)
  }
  if (left.length > 0) visible['omitted'] = left.join(',').slice(0, 200)
  return visible
}

function visibleValue(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value)
  if (value instanceof Error) return describeError(value)
  if (Array.isArray(value))
    return value.length > mostItems ? `[${value.length} items]` : value.map((item) => visibleValue(item))
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'object' && value !== null) return '[object]'
  return value
}

/** An error for the log: class, code, masked message and stack, and its causes. */
function describeError(error: Error, depth = 0): Record<string, unknown> {
  const code = error instanceof MillraceError ? error.code : 'code' in error ? error.code : undefined
  return {
    type: error.name,
    message: maskText(error.message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: maskText(error.stack) }),
    ...(error instanceof AggregateError && depth < mostCauses
      ? { errors: error.errors.slice(0, mostItems).map((one: unknown) => describeCause(one, depth + 1)) }
      : {}),
    ...(error.cause !== undefined && depth < mostCauses
      ? { cause: describeCause(error.cause, depth + 1) }
      : {}),
  }
}

function describeCause(cause: unknown, depth: number): unknown {
  return cause instanceof Error ? describeError(cause, depth) : maskText(String(cause))
}

const mostCauses = 4
const mostItems = 20
