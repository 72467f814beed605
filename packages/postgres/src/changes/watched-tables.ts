import { MillraceError } from '@millrace/event'
import type { Queries } from '../transaction.ts'

/** A table of a publication. */
export interface WatchedTable {
  /** With its schema, such as `public.orders`. */
  readonly table: string
  /** Only rows for which this SQL condition holds; see the limits of row filters at CREATE PUBLICATION. */
  readonly where?: string
  /** Only these columns, which must include the replica identity. Default: all, also those that are added later. */
  readonly columns?: readonly string[]
}

/** What the catalogue says of a table. */
export interface TableFacts extends WatchedTable {
  /** Columns of the primary key with their types, in its order. */
  readonly key: readonly { readonly name: string; readonly type: string }[]
  readonly quoted: string
  /** Whether updates and deletes tell the primary key of the row that they replace. */
  readonly tellsKey: boolean
}

/** A name as it stands in a statement. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** `"schema"."table"`. */
export function quotedTable(table: string): string {
  const dot = table.indexOf('.')
  return `${quoted(table.slice(0, dot))}.${quoted(table.slice(dot + 1))}`
}

/** Looks a table up. @throws MillraceError `stream.mapping` when it is not there */
export async function tableFacts(queries: Queries, watched: WatchedTable): Promise<TableFacts> {
  const name = quotedTable(watched.table)
  const [found] = await queries.rows<{ tells: boolean }>(
    `SELECT relreplident IN ('d', 'f') AS tells FROM pg_class WHERE oid = to_regclass($1)`,
    [name],
  )
  if (!found) throw new MillraceError('stream.mapping', `There is no table ${watched.table} in this database`)
  const key = await queries.rows<{ name: string; type: string }>(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
     FROM pg_index i
     JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place) ON true
     JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
     WHERE i.indrelid = to_regclass($1) AND i.indisprimary ORDER BY k.place`,
    [name],
  )
  return { ...watched, key, quoted: name, tellsKey: found.tells }
}
