import { partitionOfKey, type Topic } from '@millrace/event'
import type { Change, Row } from './change.ts'
import { keyTemplate } from './key-template.ts'
import type { MappedEvent, Mapping, SnapshotOfRow } from './mapping.ts'

/** Event types by what was done to a row. What has none is not told. */
export interface TableEvents {
  readonly insert?: string
  readonly update?: string
  readonly delete?: string
  readonly snapshot?: string
  /** One event in each partition, under a key of its own, because a truncate concerns all keys. */
  readonly truncate?: string
}

/** How the rows of a table become events without any code. */
export interface TableMappingOptions {
  /** With its schema, such as `public.orders`. */
  readonly table: string
  readonly topic: Topic
  /** A column, or a text with columns in braces, such as `order-{id}`. */
  readonly key: string
  /** A name: `Order` stands for `OrderInserted`, `OrderUpdated`, `OrderDeleted`, `OrderSnapshot`. */
  readonly events: string | TableEvents
  /** Columns that the events need: without one of them the pipeline stops. They alone become data. Default: all. */
  readonly columns?: readonly string[]
  /** Whether rows that are there already are told. Default: where `events` has a type for it. */
  readonly snapshot?: boolean
  /** What to do with a truncate that has no type. Default `stop`: nobody has said what it means for the keys. */
  readonly truncate?: 'stop' | 'ignore'
}

/**
 * Maps rows as they are: `data` is the row, of a deletion what is known of it (its key). Columns that an update left alone and
 * the source does not repeat are named in `$unchanged`. A row whose key changes is deleted under the old and inserted under the
 * new one.
 */
export function tableMapping(options: TableMappingOptions): Mapping {
  const { table, topic, columns, truncate = 'stop' } = options
  const types = typesOf(options.events)
  const key = keyTemplate(options.key)
  const dataOf = (row: Row, unchanged: readonly string[] = []): Row => {
    const gone = columns?.filter((name) => !(name in row) && !unchanged.includes(name)) ?? []
    if (gone.length > 0) throw new TypeError(`There is no column ${gone.join(', ')} any more`)
    const wanted = columns
      ? Object.fromEntries(columns.flatMap((name) => (name in row ? [[name, row[name]]] : [])))
      : row
    return unchanged.length > 0 ? { ...wanted, $unchanged: unchanged } : wanted
  }
  const told = (type: string | undefined, row: Row, data: () => Row): readonly MappedEvent[] =>
    type === undefined ? [] : [{ type, key: key.of(row), data: data() }]

  function map(change: Change | SnapshotOfRow): readonly MappedEvent[] {
    const { row = {} } = change
    switch (change.kind) {
      case 'snapshot':
        return told(types.snapshot, row, () => dataOf(row))
      case 'insert':
        return told(types.insert, row, () => dataOf(row))
      case 'delete': {
        const before = change.before ?? {}
        return told(types.delete, before, () => before)
      }
      case 'update': {
        const { before, unchanged } = change
        const moved = before !== undefined && key.isIn(before) && key.of(before) !== key.of(row)
        if (!moved) return told(types.update, row, () => dataOf(row, unchanged))
        return [
          ...told(types.delete, before, () => before),
          ...told(types.insert, row, () => dataOf(row, unchanged)),
        ]
      }
      case 'truncate': {
        const type = types.truncate
        if (type !== undefined) return keysOfAll(table, topic).map((one) => ({ type, key: one, data: {} }))
        if (truncate === 'ignore') return []
        throw new TypeError('It was truncated, and its mapping does not say what that means')
      }
    }
  }
  return { table, topic, snapshot: options.snapshot ?? types.snapshot !== undefined, map }
}

function typesOf(events: string | TableEvents): TableEvents {
  if (typeof events !== 'string') return events
  return {
    insert: `${events}Inserted`,
    update: `${events}Updated`,
    delete: `${events}Deleted`,
    snapshot: `${events}Snapshot`,
  }
}

/** The types that a mapping may tell, for a topic that is declared by its mappings. */
export function typesOfTable(events: string | TableEvents): readonly string[] {
  const types: readonly (string | undefined)[] = Object.values(typesOf(events))
  return types.filter((type) => type !== undefined)
}

/** A key in each partition. */
function keysOfAll(table: string, topic: Topic): readonly string[] {
  const found = new Map<number, string>()
  for (let number = 0; found.size < topic.partitions; number++) {
    const key = `${table}#${number}`
    const partition = partitionOfKey(topic, key)
    if (!found.has(partition)) found.set(partition, key)
  }
  return [...found.values()]
}
