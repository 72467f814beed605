import { afterAll, beforeAll, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.ts'
import { openPool } from './pool.ts'

let server: TestPostgres
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(async () => {
  await server.stop()
})

test('a connection that the server ends is told and replaced, whether idle or in use', async () => {
  const errors: string[] = []
  const pool = openPool(server.url, { onError: (error) => errors.push(error.message), maxConnections: 2 })
  const killer = openPool(server.url, { onError: () => undefined })
  const client = await pool.connect()
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const ended = new Promise((resolve) => client.once('end', resolve))
  await killer.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
  await ended
  client.release()
  expect(errors[0]).toContain('terminating connection')
  expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  await Promise.all([pool.end(), killer.end()])
})

test('a statement that takes too long is ended', async () => {
  const pool = openPool(server.url, { onError: () => undefined, statementTimeoutMs: 50 })
  await expect(pool.query('SELECT pg_sleep(30)')).rejects.toThrow('statement timeout')
  await pool.end()
})

test('what a sleeper has locked in a transaction is free again', async () => {
  const sleeper = openPool(server.url, { onError: () => undefined, idleTransactionMs: 100 })
  const other = openPool(server.url, { onError: () => undefined })
  await other.query('CREATE TABLE locked (id integer)')
  await other.query('INSERT INTO locked VALUES (1)')
  const client = await sleeper.connect()
  // One message: between two of them the server might end the transaction already.
  await client.query('BEGIN; SELECT id FROM locked FOR UPDATE')
  expect((await other.query('SELECT id FROM locked FOR UPDATE')).rows).toEqual([{ id: 1 }])
  await expect(client.query('COMMIT')).rejects.toThrow()
  client.release(true)
  await Promise.all([sleeper.end(), other.end()])
})

test('a server without TLS is refused when the URL asks for it', async () => {
  const pool = openPool(`${server.url}?sslmode=require`, { onError: () => undefined })
  await expect(pool.query('SELECT 1')).rejects.toThrow('does not support SSL')
  await pool.end()
})
