import { MillraceError } from '@millrace/event'

// Classes of SQLSTATE: connection, transaction rollback, resources, operator intervention, system error; and a
// transaction that waited too long for its client.
const passing = /^(08|40|53|57|58|25P03)/
/** Data that do not fit a column: a repeat does not help. */
const misfit = /^(22|23)/
const missing: ReadonlySet<string> = new Set(['42P01', '3F000'])

/** Says what a failed statement means; a mistake in a statement is passed on as it is. */
export function databaseFailure(error: unknown): unknown {
  if (error instanceof MillraceError || !(error instanceof Error)) return error
  const state = sqlStateOf(error)
  if (state === undefined || passing.test(state))
    return new MillraceError('service.unavailable', 'The database cannot be reached', { cause: error })
  if (misfit.test(state)) return new MillraceError('event.invalid', error.message, { cause: error })
  return error
}

/** Whether a statement failed because a table or schema is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && missing.has(sqlStateOf(error) ?? '')
}

/** The five characters of SQLSTATE; undefined for what the driver or the network says. */
function sqlStateOf(error: Error): string | undefined {
  const code: unknown = 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && 'severity' in error ? code : undefined
}
