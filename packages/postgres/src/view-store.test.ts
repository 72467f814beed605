import { type CountRows, describeViewStoreContract } from '@millrace/view/contract'
import type { ViewStore } from '@millrace/view'
import type { Pool } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.ts'
import { openPool } from './pool.ts'
import type { Queries } from './transaction.ts'
import { openViewStore } from './view-store.ts'

let server: TestPostgres
let pool: Pool
let views = 0

beforeAll(async () => {
  server = await startPostgres()
  pool = openPool(server.url, { onError: () => undefined })
})
afterAll(async () => {
  await pool.end()
  await server.stop()
})

const migrations = [
  {
    version: 1,
    name: 'counts',
    sql: `CREATE TABLE counts (
            key text PRIMARY KEY, partition integer NOT NULL, count integer NOT NULL, seqs integer[] NOT NULL
          )`,
  },
]

function countRowsOn(queries: Queries): CountRows {
  const columns = 'key, partition, count, seqs'
  return {
    get: async (key) => (await queries.rows<never>(`SELECT ${columns} FROM counts WHERE key = $1`, [key]))[0],
    put: async ({ key, partition, count, seqs }) => {
      await queries.rows(
        `INSERT INTO counts (${columns}) VALUES ($1, $2, $3, $4)
         ON CONFLICT (key) DO UPDATE SET count = excluded.count, seqs = excluded.seqs`,
        [key, partition, count, seqs],
      )
    },
    remove: async (key) => void (await queries.rows('DELETE FROM counts WHERE key = $1', [key])),
    all: () => queries.rows<never>(`SELECT ${columns} FROM counts`),
  }
}

describeViewStoreContract('PostgreSQL', async (partitions) => {
  const schema = `view_${++views}`
  const stores: { close(): Promise<void> }[] = []
  return {
    open: async (): Promise<ViewStore<CountRows>> => {
      const store = openViewStore({
        url: server.url,
        schema,
        partitions,
        migrations,
        transaction: countRowsOn,
        onError: () => undefined,
      })
      stores.push(store)
      return store
    },
    destroy: async () => {
      await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    },
    close: async () => {
      await Promise.all(stores.map((store) => store.close()))
    },
  }
})
