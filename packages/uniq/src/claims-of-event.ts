import { type Event, MillraceError } from '@millrace/event'
import type { ClaimChange } from '@millrace/log'
import { actionOn, type Constraint, type Constraints } from './constraints.ts'
import type { Keyring } from './keyring.ts'

/**
 * The claim changes that an event comes to, by the configuration.
 *
 * @throws MillraceError `event.invalid` when a field that must be unique is missing or has no normal form
 */
export function claimsOfEvent(file: Constraints, keyring: Keyring, event: Event): readonly ClaimChange[] {
  const changes: ClaimChange[] = []
  for (const constraint of file.constraints) {
    const change = changeOf(constraint, keyring, event)
    if (change) changes.push(change)
  }
  return changes
}

function changeOf(constraint: Constraint, keyring: Keyring, event: Event): ClaimChange | undefined {
  const action = actionOn(constraint, event.type)
  if (!action) return undefined
  const paths = constraint[action === 'change' ? 'change' : 'create'][event.type] ?? []
  const values = paths.map((path) => valueAt(event.data, path))
  const empty =
    action === 'release' ||
    (constraint.optional && values.every((value) => value === undefined || value === null))
  return {
    constraint: constraint.name,
    // The caller knows the field by its path; a release names the constraint.
    field: paths.join(', ') || constraint.name,
    action: action === 'create' ? 'claim' : action,
    digests: empty ? {} : digestsOf(constraint, keyring, paths, values),
  }
}

function digestsOf(
  constraint: Constraint,
  keyring: Keyring,
  paths: readonly string[],
  values: readonly unknown[],
): Readonly<Record<string, string>> {
  const texts = values.map((value, at) => {
    if (typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    throw invalid(paths[at] ?? '', 'is needed as a text, because it must be unique')
  })
  try {
    return keyring.digests(constraint.name, constraint.normalise, texts)
  } catch (error) {
    if (error instanceof MillraceError) throw invalid(paths.join(', '), error.message)
    throw error
  }
}

function invalid(field: string, message: string): MillraceError {
  return new MillraceError('event.invalid', `${field}: ${message}`, { errors: [{ field, message }] })
}

function valueAt(data: unknown, path: string): unknown {
  let value = data
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}
