import { type FieldError, fieldErrors, MillraceError, type OutputOf, type Schema } from '@millrace/event'

/**
 * Checks a value against a schema and gives what the schema makes of it.
 *
 * @throws MillraceError `request.invalid` with all fields at once, one entry a field, at most 100
 */
export async function checkFields<S extends Schema>(schema: S, value: unknown): Promise<OutputOf<S>> {
  const checking = schema['~standard'].validate(value)
  const result = checking instanceof Promise ? await checking : checking
  if (!result.issues) return result.value as OutputOf<S>
  const errors = fieldErrors(result.issues.flatMap(spread)).slice(0, mostErrors).map(plain)
  throw new MillraceError('request.invalid', summary(errors), { errors })
}

const mostErrors = 100

type Issue = NonNullable<Awaited<ReturnType<Schema['~standard']['validate']>>['issues']>[number]

// zod reports unknown members as one issue of their parent, with the names in `keys`: one entry a field here.
function spread(issue: Issue): Issue[] {
  const keys: unknown = 'keys' in issue ? issue.keys : undefined
  if (!Array.isArray(keys) || keys.length === 0) return [issue]
  return keys.map((key) => ({ path: [...(issue.path ?? []), String(key)], message: 'is not known here' }))
}

// What a schema says without words of its own, said for somebody who fills in a form.
function plain(error: FieldError): FieldError {
  return error.message.endsWith('received undefined') ? { field: error.field, message: 'is missing' } : error
}

function summary(errors: readonly FieldError[]): string {
  const first = errors.slice(0, 3).map((error) => `${error.field || 'the body'}: ${error.message}`)
  return errors.length > 3 ? `${first.join('; ')}; and ${errors.length - 3} more` : first.join('; ')
}
