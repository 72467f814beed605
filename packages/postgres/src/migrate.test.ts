import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Pool } from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.ts'
import { migrate, type Migration } from './migrate.ts'
import { readMigrations } from './migration-files.ts'
import { openPool } from './pool.ts'

const first = { version: 1, name: 'users', sql: 'CREATE TABLE users (id text PRIMARY KEY)' }
const second = { version: 2, name: 'names', sql: 'ALTER TABLE users ADD COLUMN name text' }

let server: TestPostgres
let pool: Pool
beforeAll(async () => {
  server = await startPostgres()
  pool = openPool(server.url, { onError: () => undefined })
})
afterAll(async () => {
  await pool.end()
  await server.stop()
})
beforeEach(async () => {
  await pool.query('DROP TABLE IF EXISTS users, millrace_migrations, other')
})

async function recorded(): Promise<unknown[]> {
  const sql = 'SELECT owner, version, name FROM millrace_migrations ORDER BY owner, version'
  return (await pool.query<{ owner: string }>(sql)).rows
}

test('migrations are applied in order, each once', async () => {
  expect(await migrate(pool, 'views', [first])).toEqual([1])
  expect(await migrate(pool, 'views', [first, second])).toEqual([2])
  expect(await migrate(pool, 'views', [first, second])).toEqual([])
  await pool.query(`INSERT INTO users (id, name) VALUES ('1', 'Ada')`)
})

test('ten processes that start at once apply each migration once', async () => {
  const pools = Array.from({ length: 10 }, () => openPool(server.url, { onError: () => undefined }))
  const applied = await Promise.all(pools.map((one) => migrate(one, 'views', [first, second])))
  expect(applied.flat().toSorted((a, b) => a - b)).toEqual([1, 2])
  await Promise.all(pools.map((one) => one.end()))
})

test('each owner counts for himself', async () => {
  await migrate(pool, 'views', [first])
  await migrate(pool, 'mail', [{ version: 1, name: 'other', sql: 'CREATE TABLE other (id text)' }])
  expect(await recorded()).toEqual([
    { owner: 'mail', version: 1, name: 'other' },
    { owner: 'views', version: 1, name: 'users' },
  ])
})

test('a migration that was changed after it was applied is refused, other line ends are not a change', async () => {
  const lines = { ...first, sql: 'CREATE TABLE users (\n  id text PRIMARY KEY\n)' }
  await migrate(pool, 'views', [lines])
  await expect(migrate(pool, 'views', [first])).rejects.toMatchObject({ code: 'migration.refused' })
  expect(await migrate(pool, 'views', [{ ...lines, sql: lines.sql.replaceAll('\n', '\r\n') }])).toEqual([])
})

test('a database that a newer program has changed is refused', async () => {
  await migrate(pool, 'views', [first, second])
  await expect(migrate(pool, 'views', [first])).rejects.toThrow('a newer one has been here')
})

test('a migration that fails leaves nothing behind and the ones before it in place', async () => {
  const broken: Migration = {
    version: 2,
    name: 'broken',
    sql: 'CREATE TABLE other (id text); SELECT nonsense',
  }
  await expect(migrate(pool, 'views', [first, broken])).rejects.toMatchObject({ code: 'migration.failed' })
  expect(await recorded()).toEqual([{ owner: 'views', version: 1, name: 'users' }])
  expect((await pool.query(`SELECT to_regclass('other') AS found`)).rows).toEqual([{ found: null }])
  expect(await migrate(pool, 'views', [first, second])).toEqual([2])
})

test('a migration may take longer than the pool grants a plain statement', async () => {
  // Only what is meant to take longer does, also on a machine that stands still for a moment.
  const hasty = openPool(server.url, {
    onError: () => undefined,
    statementTimeoutMs: 1_000,
    connectTimeoutMs: 2_000,
  })
  const slow = { version: 1, name: 'slow', sql: 'SELECT pg_sleep(3.5)' }
  expect(await migrate(hasty, 'views', [slow])).toEqual([1])
  await hasty.end()
})

test('versions that are not 1, 2, 3 are refused before anything is asked of the database', async () => {
  await expect(migrate(pool, 'views', [second])).rejects.toMatchObject({ code: 'migration.refused' })
})

test('migrations can be files, read in the order of their numbers', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'millrace-migrations-'))
  await writeFile(path.join(directory, '0002-names.sql'), second.sql)
  await writeFile(path.join(directory, '0001-users.sql'), first.sql)
  await writeFile(path.join(directory, 'README.md'), 'not one of them')
  expect(await readMigrations(pathToFileURL(`${directory}/`))).toEqual([first, second])
  await rm(directory, { recursive: true })
})
