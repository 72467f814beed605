import pg from 'pg'
import { expect, test } from 'vitest'
import { startPostgres } from './postgres.ts'

test('a private PostgreSQL answers with the password alone and is ready for logical replication', async () => {
  const server = await startPostgres()
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  expect((await client.query('show wal_level')).rows).toEqual([{ wal_level: 'logical' }])
  await client.end()

  const stranger = new pg.Client({ connectionString: server.url.replace(/:[^:@]+@/, ':wrong@') })
  await expect(stranger.connect()).rejects.toThrow('password authentication failed')
  await server.stop()
})
