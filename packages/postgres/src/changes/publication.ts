import { createHash } from 'node:crypto'
import { escapeLiteral, type Pool } from 'pg'
import { inTransaction } from '../transaction.ts'
import { quoted, quotedTable, type WatchedTable } from './watched-tables.ts'

/**
 * Makes the publication, or brings it to these tables, filters and columns. What it was made of stands in its comment, so
 * that nothing is touched where nothing has changed.
 */
export async function bringPublication(
  pool: Pool,
  name: string,
  tables: readonly WatchedTable[],
): Promise<void> {
  const list = tables.map(definitionOf).join(', ')
  const stamp = `millrace ${createHash('sha256').update(list).digest('hex')}`
  await inTransaction(pool, async (queries) => {
    await queries.rows('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `millrace publication ${name}`,
    ])
    const [found] = await queries.rows<{ stamp: string | null }>(
      `SELECT obj_description(oid, 'pg_publication') AS stamp FROM pg_publication WHERE pubname = $1`,
      [name],
    )
    if (found?.stamp === stamp) return
    await queries.rows(
      found
        ? `ALTER PUBLICATION ${quoted(name)} SET TABLE ${list}`
        : `CREATE PUBLICATION ${quoted(name)} FOR TABLE ${list}`,
    )
    await queries.rows(`COMMENT ON PUBLICATION ${quoted(name)} IS ${escapeLiteral(stamp)}`)
  })
}

function definitionOf({ table, where, columns }: WatchedTable): string {
  const some = columns ? ` (${columns.map(quoted).join(', ')})` : ''
  return `${quotedTable(table)}${some}${where === undefined ? '' : ` WHERE (${where})`}`
}
