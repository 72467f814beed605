import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePort } from './free-port.ts'
import { KeptServer } from './kept-server.ts'
import { postgresBinaries } from './postgres-binaries.ts'
import { preparePostgresData } from './postgres-data.ts'
import { postgresSpec } from './postgres-spec.ts'
import { serverUser } from './server-user.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'millrace-data-'))
  chmodSync(directory, 0o711)
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

/** Prepares, starts, asks with this password, stops. */
async function ask(password: string, sql: string, askWith = password): Promise<unknown[]> {
  const user = serverUser(directory)
  const binaries = postgresBinaries(user)
  const data = preparePostgresData({ binaries, directory, user, password })
  const port = await freePort()
  const server = new KeptServer({
    ...postgresSpec({ binaries, data, user, port }),
    restart: false,
    removeAtEnd: [],
  })
  await server.start()
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'millrace',
    password: askWith,
    database: 'millrace',
  })
  try {
    await client.connect()
    return (await client.query<{ all: string }>(sql)).rows
  } finally {
    await client.end()
    await server.stop()
  }
}

test('data outlives a new password; texts are in the order of code points, whatever the machine’s locale', async () => {
  // What a start that was killed while it made the data has left behind is no hindrance.
  mkdirSync(path.join(directory, 'data.unfinished'))
  writeFileSync(path.join(directory, 'data.unfinished/half'), '')
  await ask("it's the first", `CREATE TABLE kept AS SELECT unnest(ARRAY['b', 'ä', 'A', 'a', 'B']) AS t`)
  const inOrder = `SELECT string_agg(t, '' ORDER BY t) AS all FROM kept`
  expect(await ask('the second', inOrder)).toEqual([{ all: 'ABabä' }])
  await expect(ask('the second', inOrder, "it's the first")).rejects.toThrow('password authentication failed')
})
