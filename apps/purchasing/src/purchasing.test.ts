import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.ts'
import { type CentralDatabase, openCentralDatabase } from './central-database.ts'
import { generate } from './generate.ts'
import type { Order } from './order.ts'
import { numbers, PurchasingStand, today, wanted } from './testing/purchasing-stand.ts'

let server: TestPostgres
let stand: PurchasingStand
let database: CentralDatabase
beforeAll(async () => {
  server = await startPostgres()
  stand = await PurchasingStand.open(server.url)
  database = stand.database
})
afterAll(async () => {
  await stand.close()
  await server.stop()
})

const call = (path: string, body?: object, headers: Record<string, string> = {}, method = 'POST') =>
  stand.call(path, { body, headers, method })
const get = (path: string) => stand.get(path)
const place = () => stand.place()

async function count(table: string): Promise<number> {
  const sql = `SELECT count(*)::int AS count FROM ${table}`
  return (await database.read((queries) => queries.rows<{ count: number }>(sql)))[0]?.count ?? 0
}

async function stockOf(product: string): Promise<number> {
  const sql = 'SELECT quantity::float8 AS quantity FROM stock WHERE product_id = $1'
  const rows = await database.read((queries) => queries.rows<{ quantity: number }>(sql, [product]))
  return rows[0]?.quantity ?? Number.NaN
}

test('nobody is served without a token', async () => {
  expect((await stand.app.request('/orders/O0000001')).status).toBe(401)
})

describe('orders', () => {
  test('one is placed, with a notice of its id alone, and read', async () => {
    const before = await count('outbox')
    const order = await place()
    expect(order).toMatchObject({
      status: 'open',
      orderedOn: today,
      version: 1,
      lines: [{ line: 1, status: 'open' }],
    })
    const [notice] = await database.read((queries) =>
      queries.rows('SELECT type, key, data FROM outbox ORDER BY id DESC LIMIT 1'),
    )
    expect(notice).toEqual({ type: 'PurchaseOrderCreated', key: order.id, data: { id: order.id } })
    expect(await count('outbox')).toBe(before + 1)
    const read = await get(`/orders/${order.id}`)
    expect(await read.json()).toEqual(order)
    expect(read.headers.get('etag')).toBe('"1"')
    expect((await get('/orders/none')).status).toBe(404)
  })

  test.each([
    ['supplier.unknown', { ...wanted, supplier: 'S9' }, 404],
    ['product.unknown', { ...wanted, lines: [{ ...wanted.lines[0], product: 'P9' }] }, 404],
    ['request.invalid', { ...wanted, lines: [] }, 400],
  ])('%s is refused, and nothing is written', async (code, body, status) => {
    const before = await count('purchase_order')
    const answer = await call('/orders', body)
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({ code })
    expect(await count('purchase_order')).toBe(before)
  })

  test('a repeated request gets its first answer, ten at once too; another body is refused', async () => {
    const before = await count('purchase_order')
    const key = { 'idempotency-key': 'once' }
    const answers = await Promise.all(Array.from({ length: 10 }, () => call('/orders', wanted, key)))
    const texts = new Set(await Promise.all(answers.map((answer) => answer.text())))
    expect(texts.size).toBe(1)
    expect(await count('purchase_order')).toBe(before + 1)
    expect((await call('/orders', { ...wanted, supplier: 'S0002' }, key)).status).toBe(422)
  })

  test('delivery moves the stock by its open lines, once', async () => {
    const order = await place()
    const before = await stockOf('P000001')
    const key = { 'idempotency-key': `deliver ${order.id}`.replace(' ', '-') }
    const answers = [
      await call(`/orders/${order.id}/deliver`, undefined, key),
      await call(`/orders/${order.id}/deliver`, undefined, key),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(await stockOf('P000001')).toBe(before + 20)
    const again = await call(`/orders/${order.id}/deliver`)
    expect([again.status, await again.json()]).toMatchObject([409, { code: 'order.finished' }])
  })

  test('a decision on an older version is refused, and says what the order is now', async () => {
    const order = await place()
    const path = `/orders/${order.id}/lines/1/carry-out`
    expect((await call(path, { action: 'postpone', dueOn: '2027-01-10', version: 1 })).status).toBe(200)
    const late = await call(path, { action: 'cancel', version: 1 })
    expect(late.status).toBe(412)
    expect(await late.json()).toMatchObject({ code: 'append.version', version: 2, orderStatus: 'open' })
    const shipped = await call(`/orders/${order.id}/ship`, undefined, { 'if-match': '"2"' })
    expect(shipped.status).toBe(200)
    const afterwards = await call(path, { action: 'cancel', version: 2 })
    expect([afterwards.status, await afterwards.json()]).toMatchObject([409, { code: 'order.finished' }])
  })

  test('an answer to a carry-out waits behind its commit, on demand and as often as is said', async () => {
    const pause = (body: object) => call('/admin/answer-pause', body, {}, 'PUT')
    expect((await pause({ ms: -1 })).status).toBe(400)
    expect(await (await pause({ ms: 60, share: 0.5 })).json()).toEqual({ ms: 60, share: 0.5 })
    for (const [chance, atLeastMs] of [
      [0.4, 59],
      [0.6, 0],
    ] as const) {
      stand.luck = chance
      const order = await place()
      const from = performance.now()
      const path = `/orders/${order.id}/lines/1/carry-out`
      const answer = call(path, { action: 'cancel', version: 1 })
      await expect
        .poll(async () => ((await (await get(`/orders/${order.id}`)).json()) as Order).version)
        .toBe(2)
      expect((await answer).status).toBe(200)
      expect(performance.now() - from).toBeGreaterThanOrEqual(atLeastMs)
    }
    const order = await place()
    const gone = new AbortController()
    await pause({ ms: 10_000 })
    const path = `/orders/${order.id}/lines/1/carry-out`
    const given = { action: 'cancel', version: 1 }
    const unheard = stand.call(path, { body: given, signal: gone.signal })
    await expect
      .poll(async () => ((await (await get(`/orders/${order.id}`)).json()) as Order).version)
      .toBe(2)
    const abortedMs = performance.now()
    gone.abort()
    expect((await unheard).status).toBe(200)
    expect(performance.now() - abortedMs).toBeLessThan(5_000)
    expect((await pause({ ms: 0 })).status).toBe(200)
  })

  test('a carry-out is one transaction that tells its correlation id in the log of the database', async () => {
    const order = await place()
    const slot = 'purchasing_test'
    const rows = (sql: string) => database.read((queries) => queries.rows<Record<string, unknown>>(sql))
    await rows(`SELECT pg_create_logical_replication_slot('${slot}', 'test_decoding')`)
    const headers = { 'idempotency-key': 'click-1', 'x-correlation-id': 'the-click-of-ada' }
    const body = { action: 'postpone', dueOn: '2027-01-10', version: 1 }
    const path = `/orders/${order.id}/lines/1/carry-out`
    const answers = [await call(path, body, headers), await call(path, body, headers)]
    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([
      expect.objectContaining({ version: 2 }),
      expect.objectContaining({ version: 2 }),
    ])
    const changes = await rows(`SELECT data FROM pg_logical_slot_get_changes('${slot}', NULL, NULL)`)
    const told = changes.map(({ data }) => String(data)).filter((data) => data.includes('message: '))
    expect(told.every((data) => data.includes('the-click-of-ada'))).toBe(true)
    expect(changes.filter(({ data }) => String(data).includes('purchase_order: UPDATE'))).toHaveLength(1)
    await rows(`SELECT pg_drop_replication_slot('${slot}')`)
  })
})

test('stock moves by differences, each in the transaction of its movement', async () => {
  const before = await stockOf('P000002')
  const moves = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      call('/products/P000002/stock', { difference: at % 2 === 0 ? 3 : -1, reason: 'count' }),
    ),
  )
  expect(moves.every(({ status }) => status === 200)).toBe(true)
  expect(await stockOf('P000002')).toBe(before + 20)
  expect((await call('/products/P9/stock', { difference: 1, reason: 'count' })).status).toBe(404)
  expect((await call('/products/P000002/stock', { difference: 0, reason: 'count' })).status).toBe(400)
})

test('the generator makes the same rows for the same seed, all of an order of one supplier', async () => {
  const strange = await database.read((queries) =>
    queries.rows(`SELECT purchase_order.id FROM purchase_order, jsonb_array_elements(lines) AS line
      JOIN product ON product.id = line->>'product'
      WHERE purchase_order.id LIKE 'O%' AND product.supplier_id <> purchase_order.supplier_id`),
  )
  expect(strange).toEqual([])
  const other = await openCentralDatabase({
    url: server.url,
    schema: 'again',
    onError: () => undefined,
  })
  await other.prepare()
  await other.write('seed', (queries) =>
    generate(queries, { suppliers: 4, products: 40, orders: 300, random: numbers(7), today }),
  )
  const orders = (of: CentralDatabase) =>
    of.read((queries) =>
      queries.rows(`SELECT id, ordered_on::text FROM purchase_order WHERE id LIKE 'O%' ORDER BY id`),
    )
  expect(await orders(other)).toEqual(await orders(database))
  await other.close()
})
