import { MillraceError, type Topic, validate } from '@millrace/event'
import { z } from 'zod'
import { normalisers } from './normalise.ts'

const fieldPath = z
  .string()
  .regex(
    /^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*$/,
    'is the path of a field in the data, such as email or contact.email',
  )
const fields = z.array(fieldPath).min(1).max(8)

const constraintSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, 'is lower case letters, digits and dashes'),
  normalise: z
    .array(z.enum(Object.keys(normalisers) as [string, ...string[]]))
    .min(1)
    .max(8),
  create: z.record(z.string(), fields),
  change: z.record(z.string(), fields).default({}),
  release: z.array(z.string()).default([]),
  optional: z.boolean().default(false),
})

const fileSchema = z.strictObject({
  topic: z.string(),
  constraints: z.array(constraintSchema).min(1).max(32),
})

/** One uniqueness constraint of a topic: which fields of which event types claim, change and release a value. */
export type Constraint = z.output<typeof constraintSchema>

/** All constraints of one topic, as its configuration file says. */
export type Constraints = z.output<typeof fileSchema>

/**
 * Checks a configuration against itself and its topic.
 *
 * @throws MillraceError `event.invalid` with one entry a field
 */
export function readConstraints(json: unknown, topic?: Topic): Constraints {
  const read = validate(fileSchema, json, 'The constraints file')
  for (const constraint of read.constraints) check(read, constraint, topic)
  return read
}

function check(file: Constraints, constraint: Constraint, topic: Topic | undefined): void {
  const wrong = (message: string) =>
    new MillraceError('event.invalid', `Constraint ${constraint.name}: ${message}`)
  if (file.constraints.filter((other) => other.name === constraint.name).length > 1)
    throw wrong('is named twice')
  const types = [...Object.keys(constraint.create), ...Object.keys(constraint.change), ...constraint.release]
  if (Object.keys(constraint.create).length === 0) throw wrong('has no event type that creates')
  if (new Set(types).size !== types.length) throw wrong('names an event type for two actions')
  for (const [type, paths] of [...Object.entries(constraint.create), ...Object.entries(constraint.change)])
    if (paths.length !== constraint.normalise.length)
      throw wrong(`${type} has ${paths.length} fields, normalise has ${constraint.normalise.length}`)
  if (!topic) return
  if (topic.name !== file.topic) throw wrong(`is for topic ${file.topic}, not ${topic.name}`)
  if (topic.placement !== 'together')
    throw wrong(`needs topic ${topic.name} to be placed 'together': claims and log share one slot`)
  for (const type of types)
    if (!Object.hasOwn(topic.types, type)) throw wrong(`topic ${topic.name} has no event type ${type}`)
}

/** What an event type does to a constraint. */
export type ConstraintAction = 'create' | 'change' | 'release'

/** What an event type does to one constraint, if anything. */
export function actionOn(constraint: Constraint, type: string): ConstraintAction | undefined {
  if (Object.hasOwn(constraint.create, type)) return 'create'
  if (Object.hasOwn(constraint.change, type)) return 'change'
  return constraint.release.includes(type) ? 'release' : undefined
}

/** The event types that do this to a constraint. */
export function typesOf(constraint: Constraint, action: ConstraintAction): readonly string[] {
  return action === 'release' ? constraint.release : Object.keys(constraint[action])
}
