import { describeSourceContract } from '@millrace/source/contract'
import type { Pool } from 'pg'
import { afterAll, beforeAll } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../../test/support/postgres.ts'
import { openPool } from '../pool.ts'
import { inTransaction } from '../transaction.ts'
import { createPostgresSource } from './postgres-source.ts'

let server: TestPostgres
let pool: Pool
let databases = 0

beforeAll(async () => {
  server = await startPostgres()
  pool = openPool(server.url, { onError: () => undefined })
})
afterAll(async () => {
  await pool.end()
  await server.stop()
})

describeSourceContract('PostgreSQL', async () => {
  const name = `contract-${++databases}`
  const [schema, slot] = [`contract_${databases}`, `millrace_contract_${databases}`]
  const table = `${schema}.items`
  await pool.query(`CREATE SCHEMA ${schema}`)
  await pool.query(`CREATE TABLE ${table} (id text PRIMARY KEY, v integer NOT NULL)`)
  const statements = {
    insert: `INSERT INTO ${table} (id, v) VALUES ($1, $2)`,
    update: `UPDATE ${table} SET v = $2 WHERE id = $1`,
    delete: `DELETE FROM ${table} WHERE id = $1 AND $2::integer IS NOT NULL`,
  }
  return {
    table,
    source: () =>
      createPostgresSource({ url: server.url, name, tables: [{ table }], onError: () => undefined }),
    commit: (changes, context = {}) =>
      inTransaction(pool, async (queries) => {
        if (context.correlationId !== undefined)
          await queries.rows(`SELECT pg_logical_emit_message(true, 'millrace.correlation', $1)`, [
            context.correlationId,
          ])
        for (const { kind, id, v } of changes) await queries.rows(statements[kind], [id, v])
      }),
    rollBack: async (changes) => {
      const undone = new Error('rolled back')
      await inTransaction(pool, async (queries) => {
        for (const { kind, id, v } of changes) await queries.rows(statements[kind], [id, v])
        throw undone
      }).catch((error: unknown) => {
        if (error !== undone) throw error
      })
    },
    close: async () => {
      await pool.query(
        `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${slot}' AND active_pid IS NOT NULL`,
      )
      // Whom it is sent to may take a while to go. Slots that stay would be too many for the tests to come.
      const drop = `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '${slot}'`
      for (let left = 1_000; ; left--)
        try {
          await pool.query(drop)
          break
        } catch (error) {
          if (left === 0) throw error
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      await pool.query(`DROP PUBLICATION IF EXISTS ${slot}`)
      await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    },
  }
})
