import type { Pool, PoolClient } from 'pg'
import { databaseFailure } from './database-failure.ts'

/** Runs a query and answers its rows. */
export interface Queries {
  /** @param timeoutMs Where a statement may take longer than the pool grants; the server has its own limit. */
  rows<Row extends object>(
    sql: string,
    values?: readonly unknown[],
    timeoutMs?: number,
  ): Promise<readonly Row[]>
}

/** Queries on a pool, each by itself, or on the one connection of a transaction. */
export function queriesOn(client: Pick<Pool | PoolClient, 'query'>): Queries {
  return {
    rows: async <Row extends object>(text: string, values: readonly unknown[] = [], timeoutMs?: number) => {
      const patience = timeoutMs === undefined ? {} : { query_timeout: timeoutMs }
      try {
        return (await client.query<Row>({ text, values: [...values], ...patience })).rows
      } catch (error) {
        throw databaseFailure(error)
      }
    },
  }
}

/** Runs in one transaction. What is thrown inside rolls it back. A connection in an unknown state is not used again. */
export async function inTransaction<T>(pool: Pool, act: (queries: Queries) => Promise<T>): Promise<T> {
  const client = await connected(pool)
  let broken = false
  try {
    const queries = queriesOn(client)
    await queries.rows('BEGIN')
    try {
      const result = await act(queries)
      await queries.rows('COMMIT')
      return result
    } catch (error) {
      broken = !(await rolledBack(client))
      throw error
    }
  } finally {
    client.release(broken)
  }
}

/** A connection of one's own, to be released. */
export async function connected(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect()
  } catch (error) {
    throw databaseFailure(error)
  }
}

async function rolledBack(client: PoolClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK')
    return true
  } catch {
    // The connection is gone, and with it the transaction.
    return false
  }
}
