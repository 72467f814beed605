import { createHash } from 'node:crypto'
import type { Queries } from '@millrace/postgres'
import type { CentralDatabase } from './central-database.ts'
import type { OrderLine, OrderStatus } from './order.ts'

/** How large a generated database is. */
export interface Size {
  readonly suppliers: number
  readonly products: number
  readonly orders: number
}

/** What an own system starts with. */
export const smallSize: Size = { suppliers: 10, products: 200, orders: 500 }
/** What the demo's big form has. */
export const largeSize: Size = { suppliers: 100, products: 10_000, orders: 100_000 }

/** Options of {@link generate}. */
export interface GenerateOptions extends Size {
  /** Numbers of [0, 1), the same for the same seed. */
  readonly random: () => number
  /** Today as YYYY-MM-DD: orders were placed in the 120 days before it. */
  readonly today: string
  /** Told after each part of rows. */
  readonly onProgress?: (rows: number, of: number) => void
}

/**
 * Fills a central database in which there is nothing; several processes may ask for it at once.
 *
 * @param today YYYY-MM-DD.
 */
export async function seedWhenEmpty(
  database: CentralDatabase,
  size: 'small' | 'large' | 'none',
  today: string,
): Promise<void> {
  if (size === 'none') return
  await database.write('seed', async (queries) => {
    await queries.rows(`SELECT pg_advisory_xact_lock(hashtextextended('purchasing seed', 0))`)
    const [some] = await queries.rows('SELECT id FROM product LIMIT 1')
    if (!some)
      await generate(queries, { ...(size === 'large' ? largeSize : smallSize), today, random: seeded(size) })
  })
}

/** Numbers of [0, 1) that follow from a text. */
export function seeded(text: string): () => number {
  let at = 0
  return () => createHash('sha256').update(`${text} ${at++}`).digest().readUInt32BE() / 2 ** 32
}

const adjectives = ['Blue', 'Folding', 'Heavy', 'Light', 'Oak', 'Steel', 'Round', 'Small', 'Tall', 'Wide']
const things = ['bench', 'bolt', 'bucket', 'cable', 'chair', 'clamp', 'drill', 'hinge', 'hose', 'ladder']
const rowsAtOnce = 2_000

/**
 * Fills an empty central database. A few products sell much and most of them little; most orders are old and done,
 * and some suppliers have most of them. The same seed makes the same rows.
 */
export async function generate(queries: Queries, options: GenerateOptions): Promise<void> {
  const { suppliers, products, orders, random, today, onProgress } = options
  const total = suppliers + products * 2 + orders
  let done = 0
  const insert = async (sql: string, count: number, row: (index: number) => readonly unknown[]) => {
    for (let from = 0; from < count; from += rowsAtOnce) {
      const rows = Array.from({ length: Math.min(rowsAtOnce, count - from) }, (_, at) => row(from + at))
      const columns = rows[0]?.map((_, column) => rows.map((values) => values[column])) ?? []
      await queries.rows(sql, columns)
      done += rows.length
      onProgress?.(done, total)
    }
  }
  const pick = (count: number) => Math.floor(random() * count)
  /** Small numbers far more often than large ones. */
  const skewed = (count: number) => Math.floor(random() ** 2 * count)
  const supplierOf = (product: number) => supplierId(product % suppliers)

  await insert(
    'INSERT INTO supplier SELECT * FROM unnest($1::text[], $2::text[], $3::text[])',
    suppliers,
    (at) => [supplierId(at), `Supplier ${at + 1}`, `orders@supplier-${at + 1}.example`],
  )
  const daily = Array.from(
    { length: products },
    (_, at) => Math.round((60 / (1 + at / 20)) * 100 + pick(50)) / 100,
  )
  await insert(
    'INSERT INTO product SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::integer[])',
    products,
    (at) => [
      productId(at),
      `${adjectives[at % adjectives.length]} ${things[Math.floor(at / adjectives.length) % things.length]} ${at + 1}`,
      supplierOf(at),
      daily[at],
      Math.ceil((daily[at] ?? 0) * 7),
    ],
  )
  await insert('INSERT INTO stock SELECT * FROM unnest($1::text[], $2::bigint[])', products, (at) => [
    productId(at),
    Math.floor((daily[at] ?? 0) * random() * 90),
  ])
  await insert(
    `INSERT INTO purchase_order (id, supplier_id, status, ordered_on, lines)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::jsonb[])`,
    orders,
    (at) => {
      const age = skewed(120)
      const first = skewed(products)
      const status = statusOf(age, random())
      const count = 1 + skewed(4)
      const lines = Array.from({ length: count }, (_, index): OrderLine => {
        // All of one order are products of one supplier.
        const product = (first + index * suppliers) % products
        return {
          line: index + 1,
          product: productId(product),
          quantity: 10 * (1 + skewed(50)),
          dueOn: dayAfter(today, 5 + pick(40) - Math.min(age, 30)),
          status: status === 'cancelled' ? 'cancelled' : 'open',
          version: 1,
        }
      })
      return [orderId(at), supplierOf(first), status, dayAfter(today, -age), JSON.stringify(lines)]
    },
  )
}

const supplierId = (at: number) => `S${String(at + 1).padStart(4, '0')}`
const productId = (at: number) => `P${String(at + 1).padStart(6, '0')}`
const orderId = (at: number) => `O${String(at + 1).padStart(7, '0')}`

function statusOf(age: number, chance: number): OrderStatus {
  if (chance < 0.04) return 'cancelled'
  if (age > 45) return chance < 0.9 ? 'delivered' : 'open'
  if (age > 20) return chance < 0.4 ? 'delivered' : chance < 0.7 ? 'shipped' : 'open'
  return chance < 0.2 ? 'shipped' : 'open'
}

function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}
