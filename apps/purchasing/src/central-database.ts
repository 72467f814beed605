import { MillraceError } from '@millrace/event'
import {
  inTransaction,
  makeSchema,
  migrate,
  openSchemaPool,
  type PoolOptions,
  type Queries,
  readMigrations,
} from '@millrace/postgres'
import type { Order, OrderLine, OrderStatus } from './order.ts'

/** Options of {@link openCentralDatabase}. */
export interface CentralDatabaseOptions extends PoolOptions {
  readonly url: string
  /** Default `purchasing`. */
  readonly schema?: string
}

/** The database that purchasing is the authority of. */
export interface CentralDatabase {
  /** Its tables lie in this schema. */
  readonly schema: string
  /** Makes the tables where they are missing. */
  prepare(): Promise<void>
  /**
   * Runs in one transaction, which carries `correlationId` in the database's own log: whoever follows the change
   * stream learns of it.
   */
  write<T>(correlationId: string, act: (queries: Queries) => Promise<T>): Promise<T>
  read<T>(act: (queries: Queries) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Prefix of the messages by which transactions tell their correlation id (`pg_logical_emit_message`). */
export const correlationPrefix = 'millrace.correlation'

/** Opens the central database. Nothing is connected before the first use. */
export async function openCentralDatabase(options: CentralDatabaseOptions): Promise<CentralDatabase> {
  const schema = options.schema ?? 'purchasing'
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema))
    throw new MillraceError('settings.invalid', `${schema} is no name for a schema`)
  const pool = openSchemaPool(options.url, schema, options)
  const migrations = await readMigrations(new URL('../migrations/', import.meta.url))
  return {
    schema,
    prepare: async () => {
      await makeSchema(pool, schema)
      await migrate(pool, 'purchasing', migrations)
    },
    write: (correlationId, act) =>
      inTransaction(pool, async (queries) => {
        await queries.rows('SELECT pg_logical_emit_message(true, $1, $2::text)', [
          correlationPrefix,
          correlationId,
        ])
        return act(queries)
      }),
    read: (act) => inTransaction(pool, act),
    close: () => pool.end(),
  }
}

/** An order as it is stored. */
export interface OrderRow {
  readonly id: string
  readonly supplier_id: string
  readonly status: OrderStatus
  readonly ordered_on: string
  readonly lines: readonly OrderLine[]
  readonly version: number
}

/** Columns of an order; dates as text, because the driver would shift them by the machine's time zone. */
export const orderColumns = 'id, supplier_id, status, ordered_on::text, lines, version'

export function orderOf(row: OrderRow): Order {
  const { id, supplier_id: supplier, status, ordered_on: orderedOn, lines, version } = row
  return { id, supplier, status, orderedOn, lines, version }
}

/**
 * One order, held until the end of the transaction.
 *
 * @throws {MillraceError} `order.unknown`
 */
export async function lockOrder(queries: Queries, id: string): Promise<Order> {
  const sql = `SELECT ${orderColumns} FROM purchase_order WHERE id = $1 FOR UPDATE`
  const [row] = await queries.rows<OrderRow>(sql, [id])
  if (!row) throw new MillraceError('order.unknown', `There is no order ${id}`)
  return orderOf(row)
}

/** Writes a changed order. */
export async function storeOrder(queries: Queries, order: Order): Promise<void> {
  await queries.rows(
    'UPDATE purchase_order SET status = $2, lines = $3, version = $4, changed_at = now() WHERE id = $1',
    [order.id, order.status, JSON.stringify(order.lines), order.version],
  )
}

/** Changes the stock of a product, with the movement that others follow. */
export async function moveStock(
  queries: Queries,
  product: string,
  difference: number,
  reason: string,
): Promise<number> {
  const [row] = await queries.rows<{ quantity: string }>(
    'UPDATE stock SET quantity = quantity + $2 WHERE product_id = $1 RETURNING quantity',
    [product, difference],
  )
  if (!row) throw new MillraceError('product.unknown', `There is no product ${product}`)
  await queries.rows('INSERT INTO stock_movement (product_id, difference, reason) VALUES ($1, $2, $3)', [
    product,
    difference,
    reason,
  ])
  return Number(row.quantity)
}
