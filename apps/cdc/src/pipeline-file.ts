import { MillraceError, type Topic, topic as declareTopic } from '@millrace/event'
import type { WatchedTable } from '@millrace/postgres'
import {
  type Mapping,
  outboxMapping,
  pipelineName,
  snapshotChannel,
  tableMapping,
  typesOfTable,
} from '@millrace/source'
import { LineCounter, parse, YAMLParseError } from 'yaml'
import { z } from 'zod'

/** A pipeline as a configuration file describes it. */
export interface PipelineDefinition {
  readonly name: string
  /** URL of the database. */
  readonly database: string
  /** A publication that others look after. */
  readonly publication?: string
  readonly tables: readonly WatchedTable[]
  readonly mappings: readonly Mapping[]
}

const table = z.string().regex(/^[^.\s]+\.[^.\s]+$/, 'must be a table with its schema, such as public.orders')
const type = z.string().min(1).max(200)
const events = z.union([
  type,
  z.strictObject({
    insert: type.optional(),
    update: type.optional(),
    delete: type.optional(),
    snapshot: type.optional(),
    truncate: type.optional(),
  }),
])
const mapped = z.strictObject({
  table,
  topic: z.string(),
  key: z.string().min(1),
  events,
  columns: z.array(z.string()).nonempty().optional(),
  where: z.string().optional(),
  snapshot: z.boolean().optional(),
  truncate: z.enum(['stop', 'ignore']).optional(),
})
const outbox = z.strictObject({
  outbox: table,
  topic: z.string(),
  types: z.array(type).optional(),
  columns: z
    .strictObject({
      type: z.string().optional(),
      key: z.string().optional(),
      data: z.string().optional(),
      correlationId: z.string().optional(),
      causationId: z.string().optional(),
    })
    .optional(),
  where: z.string().optional(),
})
const pipeline = z.strictObject({
  name: z.string().regex(pipelineName, 'must be at most 40 lower case letters, digits and dashes'),
  database: z.string().min(1),
  publication: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/)
    .optional(),
  tables: z.array(z.union([mapped, outbox])).nonempty(),
})
const file = z.strictObject({
  topics: z
    .record(
      z.string(),
      z.strictObject({
        partitions: z.int().min(1).max(1_024).optional(),
        placement: z.enum(['together', 'spread']).optional(),
      }),
    )
    .optional(),
  pipelines: z.array(pipeline).nonempty(),
})

type FileOf = z.output<typeof file>
type TableOf = FileOf['pipelines'][number]['tables'][number]

/**
 * Reads a configuration of pipelines (YAML).
 *
 * @param variables What `${NAME}` in the address of a database stands for.
 * @param known Topics that are declared in code, with their schemas; others are declared in the file and take any data.
 * @throws MillraceError `settings.invalid` with every mistake
 */
export function readPipelines(
  text: string,
  variables: Readonly<Record<string, string | undefined>>,
  known: readonly Topic[] = [],
): readonly PipelineDefinition[] {
  const parsed = file.safeParse(parsedYaml(text))
  if (!parsed.success)
    throw invalid(
      parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`),
    )
  const mistakes = mistakesIn(parsed.data, variables, known)
  if (mistakes.length > 0) throw invalid(mistakes)
  const topics = topicsOf(parsed.data, known)
  return parsed.data.pipelines.map(({ name, database, publication, tables }) => ({
    name,
    database: filled(database, variables),
    ...(publication === undefined ? {} : { publication }),
    tables: tables.map(watchedOf),
    mappings: tables.map((one) => mappingOf(one, topics.get(one.topic) as Topic)),
  }))
}

function parsedYaml(text: string): unknown {
  const lineCounter = new LineCounter()
  try {
    // Without the parser's excerpt of the file: a password may stand in it.
    return parse(text, { prettyErrors: false, lineCounter }) as unknown
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw invalid(['it cannot be read as YAML'])
    const { line, col } = lineCounter.linePos(error.pos[0])
    throw invalid([`it cannot be read as YAML: ${error.message} (line ${line}, column ${col})`])
  }
}

/** What a schema cannot see: what must fit together. */
function mistakesIn(
  { pipelines, topics = {} }: FileOf,
  variables: Readonly<Record<string, string | undefined>>,
  known: readonly Topic[],
): readonly string[] {
  const names = pipelines.map(({ name }) => name)
  const mistakes = twice(names).map((name) => `pipelines: there are two called ${name}`)
  for (const name of Object.keys(topics))
    if (known.some((one) => one.name === name))
      mistakes.push(`topics.${name}: it is declared in code already`)
  for (const { name, database, tables } of pipelines) {
    const absent = variablesIn(database).filter((one) => !variables[one])
    for (const one of absent) mistakes.push(`${name}.database: the variable ${one} is not set`)
    // Without the address itself: it may hold a password.
    if (absent.length === 0 && !isDatabase(filled(database, variables)))
      mistakes.push(`${name}.database: must be an address such as postgres://user:password@host:5432/name`)
    for (const one of twice(tables.map(tableOf))) mistakes.push(`${name}.tables: ${one} is there twice`)
    for (const one of tables) {
      const declared = Object.hasOwn(topics, one.topic) || known.some((topic) => topic.name === one.topic)
      if (!declared)
        mistakes.push(`${name}.tables: the topic ${one.topic} of ${tableOf(one)} is not declared`)
      if (snapshotChannel(name, tableOf(one)).length > 128)
        mistakes.push(
          `${name}.tables: the names of the pipeline and of ${tableOf(one)} are too long together`,
        )
    }
  }
  return mistakes
}

function topicsOf({ pipelines, topics = {} }: FileOf, known: readonly Topic[]): ReadonlyMap<string, Topic> {
  const all = new Map<string, Topic>(known.map((one) => [one.name, one]))
  const open = z.record(z.string(), z.unknown())
  for (const [name, { partitions, placement }] of Object.entries(topics)) {
    const types = pipelines
      .flatMap(({ tables }) => tables)
      .filter((one) => one.topic === name)
      .flatMap((one) =>
        'outbox' in one
          ? (one.types ?? [])
          : typesOfTable(typeof one.events === 'string' ? one.events : withoutAbsent(one.events)),
      )
    try {
      all.set(
        name,
        declareTopic(name, {
          types: Object.fromEntries(types.map((one) => [one, open])),
          ...(partitions === undefined ? {} : { partitions }),
          ...(placement === undefined ? {} : { placement }),
        }),
      )
    } catch (cause) {
      throw invalid([`topics.${name}: ${cause instanceof Error ? cause.message : 'is wrong'}`])
    }
  }
  return all
}

function watchedOf(one: TableOf): WatchedTable {
  const columns = 'outbox' in one ? undefined : one.columns
  return {
    table: tableOf(one),
    ...(one.where === undefined ? {} : { where: one.where }),
    ...(columns === undefined ? {} : { columns }),
  }
}

function mappingOf(one: TableOf, topic: Topic): Mapping {
  if ('outbox' in one) {
    const { columns = {} } = one
    return outboxMapping({ table: one.outbox, topic, columns: withoutAbsent(columns) })
  }
  const { key, events: names, columns, snapshot, truncate } = one
  return tableMapping({
    table: one.table,
    topic,
    key,
    events: typeof names === 'string' ? names : withoutAbsent(names),
    ...(columns === undefined ? {} : { columns }),
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(truncate === undefined ? {} : { truncate }),
  })
}

type WithoutAbsent<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> }

function withoutAbsent<T extends object>(fields: T): WithoutAbsent<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as WithoutAbsent<T>
}

function tableOf(one: TableOf): string {
  return 'outbox' in one ? one.outbox : one.table
}

function isDatabase(text: string): boolean {
  return /^postgres(ql)?:\/\//.test(text) && URL.canParse(text)
}

function variablesIn(text: string): readonly string[] {
  return [...text.matchAll(/\$\{([A-Z][A-Z0-9_]*)\}/g)].map(([, name = '']) => name)
}

function filled(text: string, variables: Readonly<Record<string, string | undefined>>): string {
  return text.replaceAll(/\$\{([A-Z][A-Z0-9_]*)\}/g, (_, name: string) => variables[name] ?? '')
}

function twice(names: readonly string[]): readonly string[] {
  return [...new Set(names.filter((name, at) => names.indexOf(name) < at))]
}

function invalid(mistakes: readonly string[]): MillraceError {
  return new MillraceError(
    'settings.invalid',
    `The pipelines are wrong:\n${mistakes.map((one) => `  ${one}`).join('\n')}`,
    {
      details: { mistakes },
    },
  )
}
