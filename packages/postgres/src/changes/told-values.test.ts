import { createHash } from 'node:crypto'
import type { Change, ChangeSource, ChangeStream, StreamItem } from '@millrace/source'
import type { Pool } from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../../test/support/postgres.ts'
import { openPool } from '../pool.ts'
import { createPostgresSource } from './postgres-source.ts'
import type { WatchedTable } from './watched-tables.ts'

let server: TestPostgres
let pool: Pool
let names = 0
const open: ChangeSource[] = []

beforeAll(async () => {
  server = await startPostgres()
  pool = openPool(server.url, { onError: () => undefined })
})
afterAll(async () => {
  await pool.end()
  await server.stop()
})
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

/** The stream of some tables, from now on. */
async function streamOf(tables: readonly WatchedTable[], heartbeatMs = 60_000) {
  const source = createPostgresSource({
    url: server.url,
    name: `told-${++names}`,
    tables,
    heartbeatMs,
    onError: () => undefined,
  })
  open.push(source)
  const { position, initial } = await source.prepare()
  await initial?.close()
  const stream = await source.open(position)
  return { source, stream, items: stream[Symbol.asyncIterator]() }
}

async function nextChanges(items: AsyncIterator<StreamItem>, count: number): Promise<readonly Change[]> {
  const all: Change[] = []
  while (all.length < count) {
    const { value, done } = await items.next()
    if (done) throw new Error('The stream has ended')
    if (value.kind === 'changes') all.push(...value.changes)
  }
  return all
}

const incompressible = () => Array.from({ length: 4_000 }, () => Math.random().toString(36).slice(2)).join('')

test('values are JSON: exact numbers and other types as text, times in ISO 8601, arrays as arrays', async () => {
  await pool.query(`CREATE TABLE kinds (
    id integer PRIMARY KEY, yes boolean, small smallint, large bigint, exact numeric(30, 10), rough float8, nan float8,
    words text, tagged varchar(9)[], numbers integer[], doc jsonb, bytes bytea, day date, at timestamptz, local timestamp,
    ref uuid, span interval, nothing text)`)
  const { items } = await streamOf([{ table: 'public.kinds' }])
  await pool.query(`INSERT INTO kinds VALUES (7, true, -3, 9007199254740993, 12345678901234567890.0123456789, 1.5, 'NaN',
    'grün € "quoted"', '{a,NULL,"b c"}', '{1,2}', '{"a": [1, null]}', '\\x00ff', '2026-03-01',
    '2026-03-01 12:00:00.123456+02', '2026-03-01 12:00:00.5', '6f2c1e1e-0000-4000-8000-000000000001', '1 day 2 hours', NULL)`)
  const [change] = await nextChanges(items, 1)
  expect(change?.row).toEqual({
    id: 7,
    yes: true,
    small: -3,
    large: '9007199254740993',
    exact: '12345678901234567890.0123456789',
    rough: 1.5,
    nan: 'NaN',
    words: 'grün € "quoted"',
    tagged: ['a', null, 'b c'],
    numbers: [1, 2],
    doc: { a: [1, null] },
    bytes: 'AP8=',
    day: '2026-03-01',
    at: '2026-03-01T10:00:00.123456Z',
    local: '2026-03-01T12:00:00.5',
    ref: '6f2c1e1e-0000-4000-8000-000000000001',
    span: 'P1DT2H',
    nothing: null,
  })
})

test('a large value that an update leaves alone is named as unchanged, and filled in where the old row is told', async () => {
  await pool.query('CREATE TABLE papers (id integer PRIMARY KEY, title text, body text)')
  await pool.query('CREATE TABLE full_papers (id integer PRIMARY KEY, title text, body text)')
  await pool.query('ALTER TABLE full_papers REPLICA IDENTITY FULL')
  const { items } = await streamOf([{ table: 'public.papers' }, { table: 'public.full_papers' }])
  const body = incompressible()
  for (const table of ['papers', 'full_papers']) {
    await pool.query(`INSERT INTO ${table} VALUES (1, 'first', $1)`, [body])
    await pool.query(`UPDATE ${table} SET title = 'second'`)
  }
  const [, plain, , full] = await nextChanges(items, 4)
  expect(plain).toMatchObject({ row: { id: 1, title: 'second' }, unchanged: ['body'] })
  expect(plain?.row).not.toHaveProperty('body')
  expect(full?.row).toEqual({ id: 1, title: 'second', body })
  expect(full?.unchanged).toBeUndefined()
  expect(full?.before).toMatchObject({ title: 'first' })
})

test('an update of the key tells the old key, a delete the key alone, a truncate its table', async () => {
  await pool.query('CREATE TABLE places (id integer PRIMARY KEY, name text)')
  const { items } = await streamOf([{ table: 'public.places' }])
  await pool.query(`INSERT INTO places VALUES (1, 'a')`)
  await pool.query('UPDATE places SET id = 2')
  await pool.query('DELETE FROM places')
  await pool.query('TRUNCATE places')
  const [, moved, gone, emptied] = await nextChanges(items, 4)
  expect(moved).toMatchObject({ kind: 'update', before: { id: 1 }, row: { id: 2, name: 'a' } })
  expect(gone).toMatchObject({ kind: 'delete', before: { id: 2 } })
  expect(gone?.before).toEqual({ id: 2 })
  expect(emptied).toMatchObject({ kind: 'truncate', table: 'public.places' })
})

test('only the rows and columns that were asked for are told, in chunks too', async () => {
  await pool.query('CREATE TABLE filtered (id integer PRIMARY KEY, state text, secret text)')
  await pool.query('ALTER TABLE filtered REPLICA IDENTITY FULL')
  await pool.query('ALTER TABLE filtered REPLICA IDENTITY DEFAULT')
  const watched = { table: 'public.filtered', where: 'id > 10', columns: ['id', 'state'] }
  const { items, stream } = await streamOf([watched])
  await pool.query(`INSERT INTO filtered VALUES (1, 'a', 's'), (11, 'b', 's'), (12, 'c', 's')`)
  expect((await nextChanges(items, 2)).map(({ row }) => row)).toEqual([
    { id: 11, state: 'b' },
    { id: 12, state: 'c' },
  ])
  const chunk = await chunkOf(items, stream, watched.table)
  expect(chunk.rows.map(({ row }) => row)).toEqual([
    { id: 11, state: 'b' },
    { id: 12, state: 'c' },
  ])
})

async function chunkOf(items: AsyncIterator<StreamItem>, stream: ChangeStream, table: string) {
  stream.requestChunk({ table, limit: 10 })
  for (;;) {
    const { value, done } = await items.next()
    if (done) throw new Error('The stream has ended')
    if (value.kind === 'chunk') return value
  }
}

test('a column that is added while the stream runs is told from then on', async () => {
  await pool.query('CREATE TABLE growing (id integer PRIMARY KEY)')
  const { items } = await streamOf([{ table: 'public.growing' }])
  await pool.query('INSERT INTO growing VALUES (1)')
  await pool.query('ALTER TABLE growing ADD COLUMN note text')
  await pool.query(`INSERT INTO growing VALUES (2, 'new')`)
  expect((await nextChanges(items, 2)).map(({ row }) => row)).toEqual([{ id: 1 }, { id: 2, note: 'new' }])
})

test('savepoints that are rolled back are not told, and what they said about the transaction is not heard', async () => {
  await pool.query('CREATE TABLE saved (id integer PRIMARY KEY)')
  const { items } = await streamOf([{ table: 'public.saved' }])
  const client = await pool.connect()
  for (const sql of [
    'BEGIN',
    'INSERT INTO saved VALUES (1)',
    'SAVEPOINT s',
    `SELECT pg_logical_emit_message(true, 'millrace.correlation', 'wrong')`,
    'INSERT INTO saved VALUES (2)',
    'ROLLBACK TO s',
    'INSERT INTO saved VALUES (3)',
    'COMMIT',
  ])
    await client.query(sql)
  client.release()
  expect((await nextChanges(items, 2)).map(({ row, index }) => [row?.['id'], index])).toEqual([
    [1, 0],
    [3, 1],
  ])
})

test('a database in which nothing of ours happens lets the server forget what others write', async () => {
  await pool.query('CREATE TABLE idle (id integer PRIMARY KEY)')
  const { source, stream, items } = await streamOf([{ table: 'public.idle' }], 50)
  await pool.query('CREATE DATABASE others')
  const other = openPool(server.url.replace(/\/[^/]+$/, '/others'), { onError: () => undefined })
  await other.query(
    'CREATE TABLE noise AS SELECT g, repeat(md5(g::text), 20) AS text FROM generate_series(1, 5000) AS g',
  )
  await other.end()
  // A little stays behind: a heartbeat is not worth less than 64 KiB.
  while (((await source.lag())?.behindBytes ?? 0) > 80_000) {
    const { value, done } = await items.next()
    if (done) throw new Error('The stream has ended')
    if (value.kind === 'reached') stream.acknowledge(value.position)
  }
  expect((await source.lag())?.behindBytes).toBeLessThan(1_000_000)
})

test('a backlog that is larger than any buffer is told as it was, however slowly it is read', async () => {
  await pool.query('CREATE TABLE many (id integer PRIMARY KEY, text text)')
  const { items } = await streamOf([{ table: 'public.many' }])
  for (let part = 0; part < 10; part++)
    await pool.query(
      `INSERT INTO many SELECT g, repeat(md5(g::text), 1 + g % 20) FROM generate_series($1::integer, $1::integer + 1999) AS g`,
      [part * 2_000],
    )
  const first = await nextChanges(items, 1)
  // Meanwhile more comes in than is read.
  await new Promise((resolve) => setTimeout(resolve, 300))
  const all = [...first, ...(await nextChanges(items, 20_000 - first.length))]
  expect(all.map(({ row }) => row?.['id'])).toEqual(Array.from({ length: 20_000 }, (_, at) => at))
  const wrong = all.filter(({ row }) => {
    const [id, text] = [Number(row?.['id']), String(row?.['text'])]
    return (
      text !==
      createHash('md5')
        .update(String(id))
        .digest('hex')
        .repeat(1 + (id % 20))
    )
  })
  expect(wrong).toEqual([])
})

test('a table that is not there, and one whose rows cannot be told apart, are refused by name', async () => {
  await expect(streamOf([{ table: 'public.nowhere' }])).rejects.toMatchObject({
    code: 'stream.mapping',
  })
  await pool.query('CREATE TABLE keyless (id integer)')
  const { items, stream } = await streamOf([{ table: 'public.keyless' }])
  await expect(chunkOf(items, stream, 'public.keyless')).rejects.toMatchObject({
    code: 'stream.mapping',
  })
})
