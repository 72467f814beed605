import type { StandardSchemaV1 } from '@standard-schema/spec'
import { type FieldError, MillraceError } from './error.ts'

/** Any validator that speaks Standard Schema: zod, valibot, arktype and others. */
export type Schema<Output = unknown> = StandardSchemaV1<unknown, Output>

/** What a schema lets through. */
export type OutputOf<S extends StandardSchemaV1> = StandardSchemaV1.InferOutput<S>

/**
 * Validates at once. Schemas that validate asynchronously are refused: an append must not wait for strangers.
 *
 * @throws MillraceError `event.invalid` with one entry a field
 */
export function validate<S extends StandardSchemaV1>(schema: S, value: unknown, what: string): OutputOf<S> {
  const result = schema['~standard'].validate(value)
  if (result instanceof Promise)
    throw new TypeError(`The schema of ${what} is asynchronous; Millrace needs a synchronous one`)
  if (result.issues) {
    const errors = fieldErrors(result.issues)
    const list = errors.map((error) => `${error.field}: ${error.message}`).join('; ')
    throw new MillraceError('event.invalid', `${what} breaks its schema: ${list}`, { errors })
  }
  return result.value
}

/** One entry a field: the first issue of each. */
export function fieldErrors(issues: readonly StandardSchemaV1.Issue[]): readonly FieldError[] {
  const byField = new Map<string, FieldError>()
  for (const issue of issues) {
    const field = (issue.path ?? [])
      .map((part) => String(typeof part === 'object' ? part.key : part))
      .join('.')
    if (!byField.has(field)) byField.set(field, { field, message: issue.message })
  }
  return [...byField.values()]
}
