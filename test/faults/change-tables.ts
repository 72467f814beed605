import { topic } from '@millrace/event'
import type { Change, Mapping, SnapshotOfRow } from '@millrace/source'
import type { WatchedTable } from '@millrace/postgres'
import { z } from 'zod'

/** Name of the pipeline of the run. */
export const pipeline = 'faults'

/** What the changes of the run become. */
export const changed = topic('changed-rows', {
  types: { RowChanged: z.record(z.string(), z.unknown()), RowSnapshot: z.record(z.string(), z.unknown()) },
  partitions: 4,
})

/** Tables of the pipeline; a third one is written too, and nobody is told. */
export const tables = ['public.stock', 'public.orders'] as const

export const watched: readonly WatchedTable[] = tables.map((table) => ({ table }))

export const tablesSql = `
  CREATE TABLE stock (id integer PRIMARY KEY, op bigint NOT NULL, body text);
  CREATE TABLE orders (id integer PRIMARY KEY, op bigint NOT NULL, body text);
  CREATE TABLE notes (id bigserial PRIMARY KEY, text text);
`

/** Key of a row: order is kept for each, whatever its table. */
export function keyOf(table: string, id: unknown): string {
  return `${table}:${String(id)}`
}

/** The mapping of a table: everything that is told of a change, so that it can be compared with what was committed. */
export function mappingOf(table: string): Mapping {
  return { table, topic: changed, snapshot: true, map: (change) => eventsOf(table, change) }
}

function eventsOf(table: string, change: Change | SnapshotOfRow) {
  if (change.kind === 'snapshot') {
    const { row } = change
    return [{ type: 'RowSnapshot', key: keyOf(table, row['id']), data: row }]
  }
  const { kind, row, before, unchanged = [] } = change
  const id = (row ?? before)?.['id']
  const event = { type: 'RowChanged', key: keyOf(table, id), data: { kind, id, ...row, unchanged } }
  // A row that moves to another key leaves one and enters the other.
  const from = before?.['id'] ?? id
  if (kind !== 'update' || from === id) return [event]
  return [{ type: 'RowChanged', key: keyOf(table, from), data: { kind: 'delete', id: from } }, event]
}
