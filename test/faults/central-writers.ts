import { setTimeout as pause } from 'node:timers/promises'
import type { Queries } from '@millrace/postgres'
import type { CentralDatabase } from '@millrace-app/purchasing'
import { lockOrder, moveStock, storeOrder } from '../../apps/purchasing/src/central-database.ts'
import { carryOut, moveTo, type OrderLine } from '../../apps/purchasing/src/order.ts'
import { inDays } from '../restocking/scene.ts'
import { between, oneOf, type Random, randomOf } from '../support/random.ts'

/** How much was written. */
export interface CentralTale {
  /** Changes of rows that were committed, also of such as nobody is told of. */
  changes: number
  movements: number
  transactions: number
  rolledBack: number
  savepoints: number
  /** Orders with so many lines that the database stores them out of line. */
  large: number
  /** Transactions that ended with the connection, or by a deadlock: nobody counts what they came to. */
  unknown: number
}

const writers = 3
class RolledBack extends Error {}

/** Applications that write to the central database in mixed transactions. */
export class CentralWriters {
  readonly tale: CentralTale = {
    ...{ changes: 0, movements: 0, transactions: 0, rolledBack: 0, savepoints: 0, large: 0, unknown: 0 },
  }
  readonly #central: CentralDatabase
  readonly #products: readonly string[]
  readonly #seed: number
  readonly #orders: string[][]
  #allowed = 0
  #isOver = false
  #placed = 0

  /** @param orders Those that are there already. */
  constructor(
    central: CentralDatabase,
    products: readonly string[],
    orders: readonly string[],
    seed: number,
  ) {
    this.#central = central
    this.#products = products
    this.#seed = seed
    this.#orders = Array.from({ length: writers }, (_, writer) =>
      orders.filter((_order, at) => at % writers === writer),
    )
  }

  /** Writes as many changes as were allowed, until `stop`. */
  async run(): Promise<void> {
    await Promise.all(this.#orders.map((_, writer) => this.#write(writer)))
  }

  /** This many changes in all may be written by now. */
  allow(changes: number): void {
    this.#allowed = changes
  }

  get isDone(): boolean {
    return this.tale.changes >= this.#allowed
  }

  stop(): void {
    this.#isOver = true
  }

  async #write(writer: number): Promise<void> {
    const random = randomOf(this.#seed + writer * 7_919)
    while (!this.#isOver) {
      if (this.isDone) {
        await pause(5)
        continue
      }
      const own = { changes: 0, movements: 0 }
      try {
        await this.#central.write(`writer-${writer}`, async (queries) => {
          const steps = between(random, 1, random() < 0.05 ? 120 : 10)
          for (let step = 0; step < steps; step++) await this.#step(queries, writer, random, own)
          if (random() < 0.1) throw new RolledBack()
        })
        this.tale.transactions += 1
        this.tale.changes += own.changes
        this.tale.movements += own.movements
      } catch (error) {
        if (error instanceof RolledBack) this.tale.rolledBack += 1
        else {
          this.tale.unknown += 1
          await pause(50)
        }
      }
    }
  }

  async #step(queries: Queries, writer: number, random: Random, own: Counted): Promise<void> {
    if (random() > 0.05) return this.#change(queries, writer, random, own)
    const before = { ...own }
    await queries.rows('SAVEPOINT s')
    await this.#change(queries, writer, random, own)
    await queries.rows('ROLLBACK TO s')
    this.tale.savepoints += 1
    Object.assign(own, before)
  }

  async #change(queries: Queries, writer: number, random: Random, own: Counted): Promise<void> {
    const kind = random()
    if (kind < 0.62) {
      await moveStock(
        queries,
        this.#product(writer, random),
        between(random, -20, 25) || 1,
        'sold or returned',
      )
      own.changes += 2
      own.movements += 1
    } else if (kind < 0.74) await this.#place(queries, writer, random, own)
    else if (kind < 0.92) await this.#moveOn(queries, writer, random, own)
    else own.changes += await tidyUp(queries, random)
  }

  /** A few products sell much; most are one writer's own, or they would mostly wait for each other. */
  #product(writer: number, random: Random): string {
    const at = Math.floor((random() ** 2 * this.#products.length) / writers) * writers
    const whose = random() < 0.05 ? between(random, 0, writers - 1) : writer
    return this.#products[at + whose] ?? oneOf(random, this.#products)
  }

  async #place(queries: Queries, writer: number, random: Random, own: Counted): Promise<void> {
    const id = `W${writer}-${++this.#placed}`
    const isLarge = random() < 0.02
    if (isLarge) this.tale.large += 1
    const lines = Array.from(
      { length: isLarge ? between(random, 60, 150) : between(random, 1, 4) },
      (_, at) => ({
        ...{ line: at + 1, product: this.#product(writer, random), quantity: between(random, 1, 500) },
        ...{ dueOn: inDays(between(random, 2, 60)), status: 'open', version: 1 },
      }),
    )
    await queries.rows(
      `INSERT INTO purchase_order (id, supplier_id, status, ordered_on, lines) VALUES ($1, 'S0001', 'open', $2, $3)`,
      [id, inDays(-between(random, 0, 75)), JSON.stringify(lines)],
    )
    await queries.rows(
      `INSERT INTO outbox (type, key, data) VALUES ('PurchaseOrderCreated', $1, jsonb_build_object('id', $1::text))`,
      [id],
    )
    own.changes += 2
    // The change stream has it from the log: the row itself may go at once.
    if (random() < 0.5) {
      await queries.rows('DELETE FROM outbox WHERE key = $1', [id])
      own.changes += 1
    }
    this.#orders[writer]?.push(id)
  }

  /** An order goes on its way, or one of its lines gets another date, or is cancelled. */
  async #moveOn(queries: Queries, writer: number, random: Random, own: Counted): Promise<void> {
    const [row] = await queries.rows<{ id: string }>(
      'SELECT id FROM purchase_order WHERE id = $1 FOR UPDATE',
      [oneOf(random, this.#orders[writer] ?? [])],
    )
    // It was placed in a transaction that was rolled back.
    if (!row) return
    const order = await lockOrder(queries, row.id)
    const line = oneOf(random, order.lines)
    if (order.status === 'open' && line.status === 'open' && random() < 0.6)
      await storeOrder(queries, carryOut(order, line.line, actionOn(line, random), line.version))
    else if (order.status === 'open' && random() < 0.6)
      await storeOrder(queries, moveTo(order, random() < 0.8 ? 'shipped' : 'cancelled'))
    else if (order.status === 'open' || order.status === 'shipped') {
      await storeOrder(queries, moveTo(order, 'delivered'))
      const arrived = order.lines.filter(({ status }) => status === 'open')
      for (const { product, quantity } of arrived)
        await moveStock(queries, product, quantity, `delivery of ${order.id}`)
      own.changes += arrived.length * 2
      own.movements += arrived.length
    } else return
    own.changes += 1
  }
}

interface Counted {
  changes: number
  movements: number
}

function actionOn({ dueOn }: OrderLine, random: Random): Parameters<typeof carryOut>[2] {
  if (random() < 0.2) return { action: 'cancel' }
  const other = inDays(between(random, 2, 90))
  if (other === dueOn) return { action: 'cancel' }
  return { action: other > dueOn ? 'postpone' : 'bring-forward', dueOn: other }
}

/**
 * What the change stream tells nobody of: old rows that go, a reason that is corrected. And an order that goes while it is
 * open, perhaps before it was looked up: that it tells.
 */
async function tidyUp(queries: Queries, random: Random): Promise<number> {
  const old = 'SELECT id FROM stock_movement ORDER BY id LIMIT 3 FOR UPDATE SKIP LOCKED'
  const sql = oneOf(random, [
    `DELETE FROM stock_movement WHERE id IN (${old}) RETURNING id`,
    `UPDATE stock_movement SET reason = 'corrected' WHERE id IN (${old}) RETURNING id`,
    `DELETE FROM purchase_order WHERE id IN (SELECT id FROM purchase_order
       WHERE id LIKE 'O%' AND status IN ('delivered', 'cancelled') AND version = 1 ORDER BY id LIMIT 1
       FOR UPDATE SKIP LOCKED) RETURNING id`,
    `DELETE FROM purchase_order WHERE id IN (SELECT id FROM purchase_order
       WHERE id LIKE 'W%' AND status = 'open' ORDER BY changed_at DESC LIMIT 1
       FOR UPDATE SKIP LOCKED) RETURNING id`,
  ])
  return (await queries.rows(sql)).length
}
