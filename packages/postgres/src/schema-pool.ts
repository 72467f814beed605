import type { Pool } from 'pg'
import { databaseUrl } from './database-url.ts'
import { openPool, type PoolOptions } from './pool.ts'
import { inTransaction } from './transaction.ts'

/** A pool whose connections find their tables in one schema, whichever bears that name at the time. */
export function openSchemaPool(url: string, schema: string, options: PoolOptions): Pool {
  return openPool(databaseUrl(url, `-c search_path=${schema}`), options)
}

/**
 * Makes a schema unless it is there. Any number of processes may start at once: `IF NOT EXISTS` alone fails for one of
 * two that look at the same moment.
 *
 * @param schema Lower case letters, digits, underscores.
 */
export async function makeSchema(pool: Pool, schema: string): Promise<void> {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) throw new TypeError(`"${schema}" is no name for a schema`)
  await inTransaction(pool, async (queries) => {
    await queries.rows(`SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, [`millrace schema ${schema}`])
    await queries.rows(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
  })
}
