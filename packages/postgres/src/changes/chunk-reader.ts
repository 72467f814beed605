import { MillraceError } from '@millrace/event'
import type { ChunkRequest, SnapshotChunk, SnapshotRow } from '@millrace/source'
import type { Pool, PoolClient } from 'pg'
import { databaseFailure } from '../database-failure.ts'
import { quoted, type TableFacts } from './watched-tables.ts'
import { readerOf } from './values.ts'

/** A chunk is cut when its rows have so many bytes as text. */
const chunkBytes = 1024 * 1024

const asItIs = { getTypeParser: () => (text: string) => text }

/** Reads rows of a table in the order of its primary key, as the publication lets them through. */
export async function readChunk(
  client: Pool | PoolClient,
  facts: TableFacts,
  { table, after, upTo, limit }: ChunkRequest,
): Promise<SnapshotChunk> {
  const { key, where, columns } = facts
  if (key.length === 0 || !facts.tellsKey)
    throw new MillraceError(
      'stream.mapping',
      `Table ${table} has no primary key that its changes tell (REPLICA IDENTITY DEFAULT or FULL), so it cannot be snapshotted`,
    )
  if (upTo?.length === 0) return { kind: 'chunk', table, rows: [], to: [], end: false }
  const names = key.map(({ name }) => quoted(name))
  const values: unknown[] = []
  const place = (keys: readonly string[]) =>
    `(${key.map(({ type }, at) => `$${values.push(keys[at] ?? '')}::text::${type}`).join(', ')})`
  const conditions = [
    ...(where === undefined ? [] : [`(${where})`]),
    ...(after === undefined || after.length === 0 ? [] : [`(${names.join(', ')}) > ${place(after)}`]),
    ...(upTo === undefined ? [] : [`(${names.join(', ')}) <= ${place(upTo)}`]),
  ]
  const wanted = columns
    ? [...new Set([...columns, ...key.map(({ name }) => name)])].map(quoted).join(', ')
    : '*'
  const text = `SELECT ${wanted} FROM ${facts.quoted}
    ${conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`}
    ORDER BY ${names.join(', ')} LIMIT ${limit}`
  try {
    const answer = await client.query<Record<string, string | null>>({ text, values, types: asItIs })
    const readers = answer.fields.map(({ name, dataTypeID }) => ({ name, read: readerOf(dataTypeID) }))
    const rows: SnapshotRow[] = []
    let bytes = 0
    for (const raw of answer.rows) {
      const row: Record<string, unknown> = {}
      for (const { name, read } of readers) {
        const value = raw[name] ?? null
        bytes += value?.length ?? 0
        row[name] = value === null ? null : read(value)
      }
      rows.push({ key: key.map(({ name }) => raw[name] ?? ''), row })
      if (bytes > chunkBytes) break
    }
    const isWhole = rows.length === answer.rows.length && rows.length < limit
    const to = (isWhole ? upTo : undefined) ?? rows.at(-1)?.key ?? []
    return { kind: 'chunk', table, rows, to, end: upTo === undefined && isWhole }
  } catch (error) {
    throw databaseFailure(error)
  }
}
