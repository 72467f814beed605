import type { CentralDatabase, Order } from '@millrace-app/purchasing'
import { freshId } from '@millrace/event'
import type { Seeded } from './seeded.ts'

// What others do in the central database: many rows a transaction, past the interface of purchasing.

/** Stock that moves, in one transaction. Answers how many movements there were. */
export async function moveMany(
  central: CentralDatabase,
  random: Seeded,
  products: readonly string[],
  count: number,
): Promise<number> {
  const moves = Array.from({ length: count }, () => ({
    product: random.pick(products),
    difference: random.below(60) - 30 || 1,
  }))
  const columns = [moves.map(({ product }) => product), moves.map(({ difference }) => difference)]
  await central.write(freshId(), async (queries) => {
    await queries.rows(
      `UPDATE stock SET quantity = quantity + moved.difference
       FROM (SELECT product, sum(difference) AS difference FROM unnest($1::text[], $2::integer[]) AS m (product, difference)
         GROUP BY product ORDER BY product) AS moved
       WHERE product_id = moved.product`,
      columns,
    )
    await queries.rows(
      `INSERT INTO stock_movement (product_id, difference, reason)
       SELECT product, difference, 'sold or returned' FROM unnest($1::text[], $2::integer[]) AS m (product, difference)`,
      columns,
    )
  })
  return moves.length
}

/** Orders that are shipped or cancelled, as many as are open. Answers how many there were. */
export async function changeMany(central: CentralDatabase, random: Seeded, count: number): Promise<number> {
  return central.write(freshId(), async (queries) => {
    const rows = await queries.rows<Pick<Order, 'id' | 'lines' | 'version'>>(
      `SELECT id, lines, version FROM purchase_order WHERE status = 'open' ORDER BY md5(id || $1) LIMIT $2
       FOR UPDATE SKIP LOCKED`,
      [String(random.next()), count],
    )
    const changed = rows.map(({ id, lines, version: before }) => {
      const version = before + 1
      if (random.chance(0.7)) return { id, status: 'shipped', version, lines }
      const ended = lines.map((one) => ({ ...one, status: 'cancelled', version }))
      return { id, status: 'cancelled', version, lines: ended }
    })
    await queries.rows(
      `UPDATE purchase_order AS o SET status = c.status, version = c.version, lines = c.lines, changed_at = now()
       FROM unnest($1::text[], $2::text[], $3::integer[], $4::jsonb[]) AS c (id, status, version, lines) WHERE o.id = c.id`,
      [
        changed.map(({ id }) => id),
        changed.map(({ status }) => status),
        changed.map(({ version }) => version),
        changed.map(({ lines }) => JSON.stringify(lines)),
      ],
    )
    return changed.length
  })
}

/** Orders that are placed, each told by its id alone. */
export async function placeMany(
  central: CentralDatabase,
  random: Seeded,
  products: readonly string[],
  count: number,
): Promise<number> {
  const orders = Array.from({ length: count }, () => {
    const dueOn = dayFromNow(3 + random.below(60))
    const lines = Array.from({ length: 1 + random.below(3) }, (_, at) => ({
      line: at + 1,
      product: random.pick(products),
      quantity: 10 * (1 + random.below(20)),
      dueOn,
      status: 'open',
      version: 1,
    }))
    return { id: orderId(), lines }
  })
  const ids = orders.map(({ id }) => id)
  await central.write(freshId(), async (queries) => {
    await queries.rows(
      `INSERT INTO purchase_order (id, supplier_id, status, ordered_on, lines)
       SELECT id, (SELECT min(id) FROM supplier), 'open', $3, lines FROM unnest($1::text[], $2::jsonb[]) AS o (id, lines)`,
      [ids, orders.map(({ lines }) => JSON.stringify(lines)), dayFromNow(0)],
    )
    await queries.rows(
      `INSERT INTO outbox (type, key, data)
       SELECT 'PurchaseOrderCreated', id, jsonb_build_object('id', id) FROM unnest($1::text[]) AS o (id)`,
      [ids],
    )
  })
  return count
}

/** Products whose forecast is another one from now on, as the daily publication tells them. */
export async function forecastMany(
  central: CentralDatabase,
  random: Seeded,
  products: readonly string[],
  count: number,
): Promise<readonly { readonly id: string }[]> {
  const ids = [...new Set(Array.from({ length: count }, () => random.pick(products)))]
  const factors = ids.map(() => 0.5 + random.below(100) / 100)
  return central.write(freshId(), (queries) =>
    queries.rows<{ id: string }>(
      `UPDATE product SET daily_forecast = round(daily_forecast * f.factor::numeric, 2)
       FROM unnest($1::text[], $2::float8[]) AS f (id, factor) WHERE product.id = f.id
       RETURNING product.id, name, supplier_id AS supplier, daily_forecast::float8 AS "dailyForecast",
         reorder_level AS "reorderLevel"`,
      [ids, factors],
    ),
  )
}

let placed = 0
const begun = Date.now().toString(36).toUpperCase()

/** A number that no order has, and that a planner can read out. */
function orderId(): string {
  placed += 1
  return `D${begun}-${placed}`
}

function dayFromNow(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)
}
