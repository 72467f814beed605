import { createPostgresSource } from '@millrace/postgres'
import { connectGroupStore, connectLog, connectPipelineStore } from '@millrace/redis'
import { createPipeline, type Pipeline } from '@millrace/source'
import { orderKey, productKey, supply, supplyMappings } from '@millrace-app/restocking'
import { partitionOfKey } from '@millrace/event'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { between, randomOf, testSeed } from '../support/random.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { eventually, inDays, openScene, type Scene } from './scene.ts'

let server: TestPostgres
let redis: TestRedis
let scene: Scene
let pipeline: Pipeline
const closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  ;[server, redis] = await Promise.all([startPostgres(), startRedis()])
  const log = await connectLog({ url: redis.url })
  const groups = await connectGroupStore({ url: redis.url })
  const store = await connectPipelineStore({ url: redis.url })
  closing.push(
    () => log.close(),
    () => groups.close(),
    () => store.close(),
  )
  scene = await openScene(server.url, { log, groups })
  await scene.startInstance()
  const mappings = supplyMappings('purchasing')
  pipeline = createPipeline({
    pipeline: 'purchasing-test',
    mappings,
    store,
    log,
    settleMs: 20,
    leaseMs: 20_000,
    source: createPostgresSource({
      url: scene.url,
      name: 'purchasing-test',
      tables: mappings.map(({ table }) => ({ table })),
      onError: () => undefined,
    }),
  })
  pipeline.start()
  await eventually(async () => (pipeline.status().state === 'streaming' ? true : undefined))
})
afterAll(async () => {
  await pipeline.stop()
  await scene.close()
  for (const close of closing.toReversed()) await close()
  await Promise.all([server.stop(), redis.stop()])
})

/** The stock of a product as restocking has counted it. */
async function stockOf(product: string): Promise<number | undefined> {
  const key = productKey(product)
  const at = { topic: supply, partition: partitionOfKey(supply, key), group: 'restocking' }
  const [stored] = await scene.groups.loadStates(at, [key])
  if (stored?.state === undefined) return undefined
  return (JSON.parse(stored.state.state) as { stock?: number }).stock
}

test('orders and stock by the change stream alone; the echo is first in half of the clicks, and both ends are one', async () => {
  await scene.product()
  const lines = Array.from({ length: 12 }, () => ({ product: 'P1', quantity: 20, dueOn: inDays(30) }))
  const order = await scene.place(lines)
  await scene.ofPurchasing('/products/P1/stock', { difference: 5, reason: 'count' })
  const ids = lines.map((_, at) => `${order.id}.${at + 1}.v1.bring-forward`)
  for (const id of ids) await scene.until(id, ({ status }) => status === 'open')
  // Every second answer waits until its echo has been seen.
  scene.hooks.answered = async ({ id, line }) => {
    if (line % 2 === 0) await scene.until(id, ({ status }) => status === 'completed')
  }
  for (const id of ids)
    expect((await scene.call(`/suggestions/${id}/carry-out`)).body['status']).toBe('completed')
  const by = await Promise.all(ids.map((id) => scene.completedBy(id)))
  expect(by.filter((one) => one === 'echo').length).toBeGreaterThanOrEqual(ids.length / 2)
  expect(scene.mails.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
  // The last echo has come: each line is as its click wanted it.
  await eventually(async () => {
    const { body } = await scene.get(`/orders/${order.id}/verdicts`)
    const told = body['lines'] as { lineVersion: number; kind: string }[]
    return told.every(({ lineVersion, kind }) => lineVersion > 1 && kind === 'keep') ? true : undefined
  })
})

test('an order that is deleted takes its suggestions along; one that is gone before it is looked up holds nothing up', async () => {
  await scene.product()
  await scene.ofPurchasing('/products/P1/stock', { difference: 1, reason: 'found' })
  const order = await scene.place()
  const id = `${order.id}.1.v1.bring-forward`
  await scene.until(id, ({ status }) => status === 'open')
  await scene.database.write('a clean-up', async (queries) => {
    await queries.rows('DELETE FROM purchase_order WHERE id = $1', [order.id])
    // Placed and deleted at once: when its notice comes there is no such order any more.
    await queries.rows(
      `INSERT INTO outbox (type, key, data) VALUES ('PurchaseOrderCreated', 'O-gone', '{"id": "O-gone"}')`,
    )
  })
  await scene.until(id, ({ status }) => status === 'withdrawn')
  const typesOf = async (key: string) =>
    (await scene.log.readKey(supply, orderKey(key))).events.map(({ event }) => event.type)
  await eventually(async () => ((await typesOf('O-gone')).length === 2 ? true : undefined))
  expect(await typesOf('O-gone')).toEqual(['PurchaseOrderCreated', 'PurchaseOrderUnknown'])
  expect((await typesOf(order.id)).at(-1)).toBe('PurchaseOrderDeleted')
})

const seed = testSeed()

test(`differences are applied exactly once, whatever was counted when (seed ${seed})`, async () => {
  const random = randomOf(seed)
  const moves = Array.from({ length: 200 }, () => between(random, -15, 25) || 1)
  const move = async () => {
    for (const difference of moves)
      await scene.ofPurchasing('/products/P2/stock', { difference, reason: `seed ${seed}` })
  }
  // Counted while it moves, twice.
  const count = async () => {
    const headers = { authorization: 'Bearer a-service' }
    const answer = await scene.first().app.request('/initialise', { method: 'POST', headers })
    return answer.text()
  }
  const countTwice = async () => {
    await count()
    await count()
  }
  await Promise.all([move(), countTwice()])
  const wanted = moves.reduce((sum, one) => sum + one, 0)
  await eventually(async () => ((await stockOf('P2')) === wanted ? true : undefined))
  const [row] = await scene.database.read((queries) =>
    queries.rows<{ quantity: string }>(`SELECT quantity FROM purchasing.stock WHERE product_id = 'P2'`),
  )
  expect(Number(row?.quantity)).toBe(wanted)
})
