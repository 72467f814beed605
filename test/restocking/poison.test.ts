import { type Event, freshId, newEvent } from '@millrace/event'
import { httpApp } from '@millrace/hono'
import { appendOne } from '@millrace/log'
import { connectGroupStore, connectLog, type RedisGroupStore, type RedisLog } from '@millrace/redis'
import { createRepairsApi } from '@millrace-app/console'
import { type OrderDocument, orderKey, orderSources, productKey, supply } from '@millrace-app/restocking'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually, openScene, quietHttp, type Scene } from './scene.ts'

let server: TestPostgres
let redis: TestRedis
let log: RedisLog
let groups: RedisGroupStore
let scene: Scene
beforeAll(async () => {
  ;[server, redis] = await Promise.all([startPostgres(), startRedis()])
  log = await connectLog({ url: redis.url })
  groups = await connectGroupStore({ url: redis.url })
  scene = await openScene(server.url, { log, groups })
})
afterAll(async () => {
  await scene.close()
  await groups.close()
  await log.close()
  await Promise.all([server.stop(), redis.stop()])
})

const change = (key: string, data: unknown): Event => ({
  ...newEvent(supply, { type: 'StockLevelChanged', key, data: { difference: 1 } }),
  id: freshId(),
  data,
})

/** Puts an event onto the log as it is, whatever is wrong with it. */
async function leave(event: object): Promise<void> {
  const stands = change(productKey('P1'), { difference: 0 })
  const subject = 'subject' in event ? String(event.subject) : stands.subject
  const unit = { ...stands, subject }
  await appendOne(log, supply, { events: [unit], encoded: [{ event: unit, text: JSON.stringify(event) }] })
}

/** The same past the size that the log takes: the entry is written over by hand. */
async function leaveLarge(event: Event): Promise<void> {
  await appendOne(log, supply, { events: [{ ...event, data: { difference: 0 } }] })
  const client = new Redis(redis.url)
  try {
    for (const name of await client.keys('*')) {
      if ((await client.type(name)) !== 'stream') continue
      const [last, before] = await client.xrevrange(name, '+', '-', 'COUNT', 2)
      if (!last?.[1].join(' ').includes(event.id)) continue
      const [, , ...rest] = last[1]
      await client.xdel(name, last[0])
      await client.call('XSETID', name, before?.[0] ?? '0-1')
      await client.xadd(name, last[0], 'e', JSON.stringify([event]), ...rest)
      return
    }
    throw new Error('The event is nowhere')
  } finally {
    client.disconnect()
  }
}

async function letters() {
  const all = await Promise.all(
    Array.from({ length: supply.partitions }, async (_, partition) => {
      const { items } = await groups.deadItems({ topic: supply, group: 'restocking', partition })
      return items.map((item) => ({ ...item, partition }))
    }),
  )
  return all.flat()
}

test('of a poisoned batch exactly the poison becomes dead letters, with reasons; a broken order is fetched again', async () => {
  const order: OrderDocument = await scene.place()
  const shipped = await scene.ofPurchasing(`/orders/${order.id}/ship`)
  await scene.product()
  await scene.stock(3)
  await leave({ ...change(productKey('P1'), { difference: 1 }), type: undefined })
  await leave({ ...change(productKey('P1'), {}), type: 'StockForgotten' })
  await leave(change(productKey('P1'), { difference: 'many' }))
  await leave({
    ...change(orderKey(order.id), { id: order.id, version: 'two' }),
    type: 'PurchaseOrderChanged',
  })
  await leaveLarge(change(productKey('P1'), { difference: 1, why: 'x'.repeat(5_000_000) }))
  await scene.stock(4)
  await scene.startInstance()
  const found = await eventually(async () => {
    const all = await letters()
    return all.length >= 5 && (await stock()) === 7 ? all : undefined
  })
  expect(found.map(({ letter }) => `${letter?.type} ${letter?.reason}`).toSorted()).toEqual([
    '(unreadable) event.invalid',
    'PurchaseOrderChanged event.invalid',
    'StockForgotten type.unknown',
    'StockLevelChanged event.invalid',
    'StockLevelChanged event.too-large',
  ])
  expect(found.find(({ type }) => type === '(unreadable)')?.letter?.message).toContain('type is missing')

  const broken = found.find(({ type }) => type === 'PurchaseOrderChanged')
  const api = httpApp(quietHttp)
  api.route(
    '/',
    createRepairsApi({
      ...{ store: groups, log, groups: [{ topic: supply, group: 'restocking' }], actorOf: () => 'ada' },
      sources: {
        supply: orderSources({ order: (id) => scene.ofPurchasingGet(id) }),
      },
    }),
  )
  const answer = await api.request(
    `/dead-letters/supply/restocking/${broken?.partition}/${broken?.seq}/repairs`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ action: 'refetch', reason: 'its data were broken' }),
    },
  )
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('ruled')])
  const lines = await eventually(async () => {
    const { body } = await scene.get(`/orders/${order.id}/verdicts`)
    const told = body['lines'] as readonly object[]
    return told.length > 0 ? told : undefined
  })
  expect(lines).toMatchObject([{ line: 1, kind: 'keep', reason: 'The order is on its way.' }])
  expect(shipped.version).toBe(2)
  expect(await letters()).toHaveLength(4)
})

async function stock(): Promise<number | undefined> {
  const key = productKey('P1')
  for (let partition = 0; partition < supply.partitions; partition += 1) {
    const [stored] = await groups.loadStates({ topic: supply, group: 'restocking', partition }, [key])
    if (stored?.state?.state !== undefined)
      return (JSON.parse(stored.state.state) as { stock?: number }).stock
  }
  return undefined
}
