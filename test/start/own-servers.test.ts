import { Redis } from 'ioredis'
import pg from 'pg'
import { expect, test } from 'vitest'
import { startPostgres } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { Checkout } from './checkout.ts'

test('servers of one’s own are used, and neither started nor stopped', async () => {
  const [redis, postgres, checkout] = await Promise.all([startRedis(), startPostgres(), Checkout.make()])
  const run = checkout.start({ env: { REDIS_URL: redis.url, DATABASE_URL: postgres.url } })
  await run.ready()
  expect(await run.counts()).toMatchObject({ redis: 1, postgres: 1 })
  expect(run.part('keeper')).toEqual([])
  run.pressCtrlC()
  expect(await run.ended).toBe(0)

  const client = new Redis(redis.url)
  expect(await client.get('starts')).toBe('1')
  client.disconnect()
  const database = new pg.Client({ connectionString: postgres.url })
  await database.connect()
  expect((await database.query('SELECT count(*)::int AS n FROM starts')).rows).toEqual([{ n: 1 }])
  await database.end()
  await Promise.all([redis.stop(), postgres.stop(), checkout.remove()])
})
