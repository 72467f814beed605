import { connectPipelineStore, type RedisPipelineStore } from '@millrace/redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { millrace } from './testing/millrace.ts'

let server: TestRedis
let store: RedisPipelineStore
let token = ''
beforeAll(async () => {
  server = await startRedis()
  store = await connectPipelineStore({ url: server.url })
  const answer = await store.take({ pipeline: 'shop', holder: 'reader-1', leaseMs: 600_000 })
  token = answer.status === 'leased' ? answer.token : ''
  const snapshots = [{ table: 'public.orders', run: 1, rows: 40, of: 100, done: false }]
  const status = {
    state: 'snapshot',
    tables: ['public.orders'],
    position: '0f',
    changes: 3,
    events: 4,
    transactions: 2,
    behindBytes: 5_000_000,
    snapshots,
  }
  await store.renew('shop', token, 600_000, JSON.stringify(status))
})
afterAll(async () => {
  await store.close()
  await server.stop()
})

const on = (line: string) => millrace(line, { REDIS_URL: server.url }, {})
const orders = () => store.renew('shop', token, 600_000, '{"state":"streaming"}')

test('ls and status show who reads, how far behind, and how far a snapshot is', async () => {
  const list = await on('cdc ls')
  expect(list.code).toBe(0)
  expect(list.stdout).toMatch(/shop\s+snapshot\s+reader-1\s+4.8 MiB/)
  const status = await on('cdc status shop')
  expect(status.stdout).toContain('40 of about 100 rows')
  expect(JSON.parse((await on('cdc status shop --json')).stdout)).toMatchObject({
    pipeline: 'shop',
    reader: 'reader-1',
    paused: false,
  })
})

test('pause, resume and snapshot are orders that the reader hears', async () => {
  expect((await on('cdc pause shop')).code).toBe(0)
  expect(await orders()).toMatchObject({ paused: true })
  expect(JSON.parse((await on('cdc resume shop --json')).stdout)).toEqual({ pipeline: 'shop', paused: false })
  await on('cdc snapshot shop --table public.orders')
  expect(await orders()).toMatchObject({ paused: false, resumed: 1, snapshots: { 'public.orders': 2 } })
})

test('a snapshot of a table that the pipeline does not map is refused, and nothing is ordered', async () => {
  await store.renew('shop', token, 600_000, '{"state":"streaming","tables":["public.orders"]}')
  const refused = await on('cdc snapshot shop --table public.order')
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain('does not map a table "public.order"; it maps public.orders')
  expect(Object.keys((await orders())?.snapshots ?? {})).not.toContain('public.order')
})

test('a restart says first what it would do', async () => {
  const asked = await on('cdc restart shop')
  expect(asked.stderr).toContain('Nothing was done')
  expect(await orders()).toMatchObject({ restarted: 0 })
  await on('cdc restart shop --yes')
  expect(await orders()).toMatchObject({ restarted: 1 })
})

test('a pipeline that nobody reads is a finding, an unknown one a mistake', async () => {
  await store.take({ pipeline: 'left-alone', holder: 'reader-2', leaseMs: 1 })
  expect((await on('cdc ls')).code).toBe(1)
  const unknown = await on('cdc status shopp')
  expect(unknown.code).toBe(2)
  expect(unknown.stderr).toContain('there is left-alone, shop')
})
