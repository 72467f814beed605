import { type FieldError, MillraceError } from '@millrace/event'
import type { z } from 'zod'
import { hintsOf } from './setting-fields.ts'
import { nearest } from './spelling.ts'

/** Environment variables as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Options of {@link readSettings}. */
export interface ReadSettingsOptions {
  /** Names that other parts of the system read: they are no spelling mistakes here. */
  readonly knownElsewhere?: readonly string[]
}

/**
 * Reads the settings of a process from its environment. A variable that is empty counts as absent.
 *
 * @throws MillraceError `settings.invalid`, whose message lists all mistakes at once, each with its variable,
 *   what is wrong and an example, misspelt names included. Values of secrets are never shown.
 */
export function readSettings<S extends z.ZodObject>(
  schema: S,
  env: Environment,
  options: ReadSettingsOptions = {},
): z.output<S> {
  const names = Object.keys(schema.shape)
  const given: Record<string, string> = {}
  for (const name of names) {
    const value = env[name]?.trim()
    if (value !== undefined && value !== '') given[name] = value
  }
  const result = schema.safeParse(given)
  const errors = [
    ...(result.success ? [] : faults(schema, result.error, given)),
    ...misspelt(names, env, options),
  ]
  if (result.success && errors.length === 0) return result.data
  const list = errors.map(({ field, message }) => `  ${field}: ${message}`).join('\n')
  const title = errors.length === 1 ? 'One setting is wrong' : `${errors.length} settings are wrong`
  throw new MillraceError('settings.invalid', `${title}:\n${list}`, { errors })
}

function faults(
  schema: z.ZodObject,
  error: z.ZodError,
  given: Readonly<Record<string, string>>,
): FieldError[] {
  const byName = new Map<string, FieldError>()
  for (const issue of error.issues) {
    const name = String(issue.path[0] ?? 'settings')
    if (byName.has(name)) continue
    const { example, shown } = hintsOf(schema.shape[name])
    const value = given[name]
    const what =
      value === undefined
        ? 'is missing'
        : `${issue.message}${shown ? `, not ${JSON.stringify(value.slice(0, 80))}` : ''}`
    byName.set(name, {
      field: name,
      message: example === undefined ? what : `${what} (example: ${name}=${example})`,
    })
  }
  return [...byName.values()]
}

function misspelt(names: readonly string[], env: Environment, options: ReadSettingsOptions): FieldError[] {
  const known = [...names, ...(options.knownElsewhere ?? [])]
  const errors: FieldError[] = []
  for (const name of Object.keys(env)) {
    if (known.includes(name)) continue
    const meant = nearest(name, known)
    const ours = name.startsWith('MILLRACE_')
    // When the name that is meant is set as well, the other one probably belongs to another program.
    if (meant !== undefined && (ours || env[meant] === undefined))
      errors.push({ field: name, message: `is not known; did you mean ${meant}?` })
    else if (ours) errors.push({ field: name, message: 'is not known' })
  }
  return errors
}
