import { setTimeout as pause } from 'node:timers/promises'
import { freshId, newEvent } from '@millrace/event'
import { type HttpServer, serveHttp } from '@millrace/hono'
import type { EventLog } from '@millrace/log'
import {
  type CentralDatabase,
  createPurchasing,
  generate,
  openCentralDatabase,
  openSnapshot,
  seeded,
} from '@millrace-app/purchasing'
import { initialise, productKey, supply } from '@millrace-app/restocking'
import { snapshotLines } from '../../apps/purchasing/src/snapshot.ts'
import { inDays, quietHttp, serviceToken } from '../restocking/scene.ts'
import { centralSchema } from './supply-marks.ts'

/** How much is in the central database at first. */
const size = { suppliers: 10, products: 300, orders: 600 }
const linesAnOrder = 100

/** The central database of a run with its authority, and what else comes from there. */
export interface CentralScene {
  readonly central: CentralDatabase
  readonly purchasing: HttpServer
  readonly products: readonly string[]
  /** Orders that are there at first. */
  readonly orders: readonly string[]
  /** Fills the system from a snapshot, or counts anew, of some products. */
  fill(log: EventLog, counted?: (product: string) => boolean): Promise<void>
  /** Some forecasts change, and are published. */
  publish(log: EventLog, products: readonly string[]): Promise<void>
  /** Places orders with one line for each product; answers their ids. */
  rollCall(): Promise<readonly string[]>
  close(): Promise<void>
}

export async function openCentral(url: string, seed: number): Promise<CentralScene> {
  const central = await openCentralDatabase({ url, onError: () => undefined })
  await central.prepare()
  const options = { ...size, random: seeded(String(seed)), today: inDays(0) }
  await central.write('seed', (queries) => generate(queries, options))
  const ids = async (sql: string) => {
    const rows = await central.read((queries) => queries.rows<{ id: string }>(sql))
    return rows.map(({ id }) => id)
  }
  const products = await ids('SELECT id FROM product ORDER BY id')
  const app = createPurchasing({
    database: central,
    snapshot: () => openSnapshot(url, centralSchema),
    http: quietHttp,
    tokens: [serviceToken],
    newId: freshId,
    today: () => inDays(0),
  })
  const purchasing = await serveHttp(app, { port: 0 })
  return {
    central,
    purchasing,
    products,
    orders: await ids(`SELECT id FROM purchase_order WHERE status IN ('open', 'shipped') ORDER BY id`),
    fill: (log, counted = () => true) =>
      untilDone(async () => {
        const snapshot = async () => linesFor(await openSnapshot(url, centralSchema), counted)
        await initialise({ snapshot, log, correlationId: freshId() })
      }),
    publish: (log, some) => untilDone(() => publish(central, log, some)),
    rollCall: () => untilDone(() => rollCall(central, products)),
    close: async () => {
      await purchasing.stop()
      await central.close()
    },
  }
}

/** Servers are started again in between. */
async function untilDone<T>(act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await act()
    } catch (error) {
      if (attempt === 40) throw error
      await pause(250)
    }
}

async function* linesFor(
  snapshot: Awaited<ReturnType<typeof openSnapshot>>,
  counted: (product: string) => boolean,
): AsyncGenerator<string> {
  let left = 0
  for await (const part of snapshotLines(snapshot, new AbortController().signal))
    for (const text of part.trimEnd().split('\n')) {
      const line = JSON.parse(text) as {
        readonly stock?: { readonly product: string }
        readonly end?: number
      }
      if (line.stock && !counted(line.stock.product)) left += 1
      else yield line.end === undefined ? text : JSON.stringify({ end: line.end - left })
    }
}

async function publish(central: CentralDatabase, log: EventLog, some: readonly string[]): Promise<void> {
  const rows = await central.write('forecast', (queries) =>
    queries.rows<{ id: string }>(
      `UPDATE product SET daily_forecast = round(daily_forecast * 1.3, 3) WHERE id = ANY($1)
       RETURNING id, name, supplier_id AS supplier, daily_forecast::float8 AS "dailyForecast",
         reorder_level AS "reorderLevel"`,
      [some],
    ),
  )
  const units = rows.map(({ id, ...data }) => ({
    events: [newEvent(supply, { type: 'ProductInformation', key: productKey(id), data })],
  }))
  await untilDone(async () => {
    const refused = (await log.append(supply, units)).find(({ status }) => status === 'refused')
    if (refused) throw new Error('Product information was refused')
  })
}

async function rollCall(central: CentralDatabase, products: readonly string[]): Promise<readonly string[]> {
  const orders = Array.from({ length: Math.ceil(products.length / linesAnOrder) }, (_, at) => {
    const some = products.slice(at * linesAnOrder, (at + 1) * linesAnOrder)
    const lines = some.map((product, place) => ({
      ...{ line: place + 1, product, quantity: 10, dueOn: inDays(30), status: 'open', version: 1 },
    }))
    return { id: `R${freshId()}`, lines }
  })
  await central.write('roll call', async (queries) => {
    for (const { id, lines } of orders) {
      await queries.rows(
        `INSERT INTO purchase_order (id, supplier_id, status, ordered_on, lines) VALUES ($1, 'S0001', 'open', $2, $3)`,
        [id, inDays(0), JSON.stringify(lines)],
      )
      await queries.rows(
        `INSERT INTO outbox (type, key, data) VALUES ('PurchaseOrderCreated', $1, jsonb_build_object('id', $1::text))`,
        [id],
      )
    }
  })
  return orders.map(({ id }) => id)
}
