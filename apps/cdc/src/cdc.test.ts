import { setTimeout as pause } from 'node:timers/promises'
import { partitionOfKey } from '@millrace/event'
import { beginning, createMemoryLog, type Recorded } from '@millrace/log'
import { openPool } from '@millrace/postgres'
import { createMemoryPipelineStore } from '@millrace/source'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.ts'
import { type Cdc, createCdc } from './cdc.ts'
import { readPipelines } from './pipeline-file.ts'

let server: TestPostgres
let pool: ReturnType<typeof openPool>
const running: Cdc[] = []
let names = 0

beforeAll(async () => {
  server = await startPostgres()
  pool = openPool(server.url, { onError: () => undefined })
})
afterAll(async () => {
  await pool.end()
  await server.stop()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()))
})

/** Readers of one pipeline over a table `orders` and an outbox, in a schema of their own. */
async function scene(readers = 1) {
  const name = `shop-${++names}`
  const schema = `shop_${names}`
  await pool.query(`CREATE SCHEMA ${schema}`)
  await pool.query(
    `CREATE TABLE ${schema}.orders (id integer PRIMARY KEY, status text NOT NULL, total numeric(10, 2))`,
  )
  await pool.query(
    `CREATE TABLE ${schema}.outbox (id bigserial PRIMARY KEY, type text, key text, data jsonb, correlation_id text)`,
  )
  await pool.query(`INSERT INTO ${schema}.orders SELECT g, 'there', g FROM generate_series(1, 20) AS g`)
  const text = `
topics:
  ${name}: { partitions: 2 }
pipelines:
  - name: ${name}
    database: ${server.url}
    tables:
      - { table: ${schema}.orders, topic: ${name}, key: id, events: Order }
      - { outbox: ${schema}.outbox, topic: ${name}, types: [OrderPlaced] }
`
  const [log, store] = [createMemoryLog(), createMemoryPipelineStore()]
  const start = (config = text) => {
    const pipelines = readPipelines(config, {})
    const one = createCdc({
      pipelines,
      log,
      store,
      // Past any moment in which this process stands still.
      leaseMs: 10_000,
      standbyMs: 50,
      settleMs: 20,
      acknowledgeDelayMs: 0,
      chunkRows: 7,
    })
    running.push(one)
    one.start()
    return one
  }
  const all = Array.from({ length: readers }, () => start())
  const [definition] = readPipelines(text, {})
  const topic = definition?.mappings[0]?.topic
  if (!topic) throw new Error('No topic')
  const events = async (): Promise<readonly Recorded[]> => {
    const read = await log.read(topic, new Map([0, 1].map((at) => [at, beginning])), { limit: 5_000 })
    return [...read.values()].flat()
  }
  /** All that is there as soon as there is so much, and a little while to show that no more comes. */
  const reached = async (count: number) => {
    await expect.poll(async () => (await events()).length).toBeGreaterThanOrEqual(count)
    await pause(100)
    return events()
  }
  return { name, schema, text, store, start, all, events, reached, topic }
}

test('rows that are there, changes and an outbox are told by configuration alone', async () => {
  const { schema, reached, topic } = await scene()
  expect(await reached(20)).toHaveLength(20)
  const client = await pool.connect()
  await client.query('BEGIN')
  await client.query(`SELECT pg_logical_emit_message(true, 'millrace.correlation', 'click-7')`)
  await client.query(`UPDATE ${schema}.orders SET status = 'sent' WHERE id = 3`)
  await client.query(
    `INSERT INTO ${schema}.outbox (type, key, data) VALUES ('OrderPlaced', '3', '{"by": "Ada"}')`,
  )
  await client.query(`DELETE FROM ${schema}.outbox`)
  await client.query('COMMIT')
  client.release()
  const all = await reached(22)
  expect(all).toHaveLength(22)
  const mine = all.filter(({ event }) => event.subject === '3').map(({ event }) => event)
  expect(mine.map(({ type, data }) => [type, data])).toEqual([
    ['OrderSnapshot', { id: 3, status: 'there', total: '3.00' }],
    ['OrderUpdated', { id: 3, status: 'sent', total: '3.00' }],
    ['OrderPlaced', { by: 'Ada' }],
  ])
  expect(mine.slice(1).map(({ correlationid }) => correlationid)).toEqual(['click-7', 'click-7'])
  expect(
    all.every(({ event, position }) => partitionOfKey(topic, event.subject) === position.partition),
  ).toBe(true)
})

test('of three embedded readers one reads, and another takes over within seconds when it goes', async () => {
  const { schema, all, reached } = await scene(3)
  const states = () => all.map(({ pipelines }) => pipelines[0]?.status().state ?? 'none')
  const inStates = () => {
    const found = Map.groupBy(states(), (state) => state)
    return Object.fromEntries([...found].map(([state, those]) => [state, those.length]))
  }
  await reached(20)
  await expect.poll(inStates).toEqual({ streaming: 1, standby: 2 })
  const first = all[states().indexOf('streaming')] as Cdc
  await first.stop()
  running.splice(running.indexOf(first), 1)
  await pool.query(`UPDATE ${schema}.orders SET status = 'sent' WHERE id = 3`)
  expect(await reached(21)).toHaveLength(21)
  await expect.poll(inStates).toEqual({ streaming: 1, standby: 1, ended: 1 })
})

test('a table that is added later is snapshotted alone while the stream runs', async () => {
  const { name, schema, all, text, start, reached, events } = await scene()
  await reached(20)
  await pool.query(`CREATE TABLE ${schema}.parts (id integer PRIMARY KEY, v integer)`)
  await pool.query(`INSERT INTO ${schema}.parts SELECT 1000 + g, 0 FROM generate_series(1, 30) AS g`)
  await all[0]?.stop()
  running.splice(0)
  start(`${text}      - { table: ${schema}.parts, topic: ${name}, key: id, events: Part }\n`)
  for (let turn = 1; turn <= 10; turn++)
    await pool.query(`UPDATE ${schema}.parts SET v = $1 WHERE id = 1003`, [turn])
  const parts = async () => (await events()).filter(({ event }) => event.type.startsWith('Part'))
  const last = async () => (await parts()).findLast(({ event }) => event.subject === '1003')?.event.data
  await expect.poll(last).toMatchObject({ v: 10 })
  await expect.poll(async () => new Set((await parts()).map(({ event }) => event.subject)).size).toBe(30)
  const told = await events()
  expect(told.filter(({ event }) => event.type === 'OrderSnapshot')).toHaveLength(20)
})

test('a column that is renamed under a mapping stops the pipeline with its name, and nothing is lost', async () => {
  const { name, schema, all, text, start, reached, store } = await scene()
  await reached(20)
  await all[0]?.stop()
  running.splice(0)
  const picky = start(text.replace('key: id, events: Order', 'key: "{id}", events: Order, where: "true"'))
  await pool.query(`ALTER TABLE ${schema}.orders ADD COLUMN note text`)
  await pool.query(`UPDATE ${schema}.orders SET status = 'one', note = 'new' WHERE id = 1`)
  const before = await reached(21)
  expect(before.findLast(({ event }) => event.subject === '1')?.event.data).toMatchObject({ note: 'new' })
  await pool.query(`ALTER TABLE ${schema}.orders RENAME COLUMN id TO number`)
  await pool.query(`UPDATE ${schema}.orders SET status = 'two' WHERE number = 1`)
  await expect.poll(() => picky.health().message).toContain('Column id of the key')
  expect(picky.health().state).toBe('down')
  await pool.query(`ALTER TABLE ${schema}.orders RENAME COLUMN number TO id`)
  await pool.query(`UPDATE ${schema}.orders SET status = 'three' WHERE id = 1`)
  // The change lies in the past with its old name: a mapping that knows both goes on from there.
  await picky.stop()
  running.splice(0)
  const mended = start(text.replace('key: id, events: Order', 'key: status, events: Order'))
  expect(mended.pipelines[0]?.name).toBe(name)
  const all22 = await reached(23)
  expect(all22.slice(-2).every(({ event }) => event.type.startsWith('Order'))).toBe(true)
  expect(await store.look(name)).toBeDefined()
})
