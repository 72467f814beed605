import { randomBytes } from 'node:crypto'
import { MillraceError } from '@millrace/event'
import pg from 'pg'
import type { CentralDatabase, OrderRow } from './central-database.ts'
import { orderOf } from './central-database.ts'

/** A consistent picture of the central database, held open until it is closed. */
export interface CentralSnapshot {
  /** Place in the change stream: what was committed before it is in the picture, and nothing else. */
  readonly watermark: string
  /** Rows of a query, some at a time. */
  rows<Row extends object>(sql: string): AsyncIterable<readonly Row[]>
  close(): Promise<void>
}

const rowsAtOnce = 1_000

/**
 * Opens a picture of everything, tied to a place in the change stream: a temporary replication slot exports the very
 * snapshot that belongs to its starting point. The server needs `wal_level=logical`, the role REPLICATION.
 */
export async function openSnapshot(url: string, schema: string): Promise<CentralSnapshot> {
  const slot = new pg.Client({ ...clientOptions(url), ...{ replication: 'database' } })
  const reader = new pg.Client(clientOptions(url))
  // What breaks a connection fails the query that uses it next.
  for (const client of [slot, reader]) client.on('error', () => undefined)
  try {
    await slot.connect()
    const name = `millrace_snapshot_${randomBytes(8).toString('hex')}`
    const answer = await slot.query<{ consistent_point: string; snapshot_name: string }>(
      `CREATE_REPLICATION_SLOT ${name} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`,
    )
    const [made] = answer.rows
    if (!made) throw new MillraceError('service.failed', 'The database has made no snapshot')
    await reader.connect()
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await reader.query(`SET TRANSACTION SNAPSHOT '${made.snapshot_name}'`)
    await reader.query(`SET LOCAL search_path TO ${schema}`)
    // The transaction holds the picture from now on.
    await slot.end()
    return {
      watermark: made.consistent_point,
      rows: (sql) => pages(reader, sql),
      close: () => reader.end(),
    }
  } catch (cause) {
    await Promise.allSettled([slot.end(), reader.end()])
    if (cause instanceof MillraceError) throw cause
    throw new MillraceError('service.unavailable', 'No snapshot of the database can be had', { cause })
  }
}

function clientOptions(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'millrace purchasing snapshot',
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
    // A slot waits for every transaction that runs; somebody waits for the slot.
    query_timeout: 60_000,
  }
}

/**
 * Opens pictures, so many at once: each holds a connection and keeps the database from tidying up, and needs one of the
 * few replication slots that a server has.
 *
 * @throws {MillraceError} `service.busy` for one more
 */
export function atMost(most: number, open: () => Promise<CentralSnapshot>): () => Promise<CentralSnapshot> {
  let held = 0
  return async () => {
    if (held >= most) throw new MillraceError('service.busy', `${most} snapshots are being read already`)
    held += 1
    try {
      const snapshot = await open()
      let isOpen = true
      return {
        ...snapshot,
        close: async () => {
          if (isOpen) held -= 1
          isOpen = false
          await snapshot.close()
        },
      }
    } catch (error) {
      held -= 1
      throw error
    }
  }
}

async function* pages<Row extends object>(client: pg.Client, sql: string): AsyncGenerator<readonly Row[]> {
  await client.query(`DECLARE page NO SCROLL CURSOR FOR ${sql}`)
  for (;;) {
    const { rows } = await client.query<Row>(`FETCH ${rowsAtOnce} FROM page`)
    if (rows.length > 0) yield rows
    if (rows.length < rowsAtOnce) break
  }
  await client.query('CLOSE page')
}

const productSql = `
  SELECT product.id, product.name, supplier_id AS supplier, daily_forecast::float8 AS "dailyForecast",
    reorder_level AS "reorderLevel"
  FROM product ORDER BY product.id`
const stockSql = 'SELECT product_id AS product, quantity::float8 AS quantity FROM stock ORDER BY product_id'
const orderSql =
  'SELECT id, supplier_id, status, ordered_on::text, lines, version FROM purchase_order ORDER BY id'

/** The lines of a snapshot: watermark, products, stock, orders, end. Closes it, also when nobody has asked for a line. */
export function snapshotLines(snapshot: CentralSnapshot, signal: AbortSignal): AsyncIterable<string> {
  return {
    [Symbol.asyncIterator]: () => {
      const lines = linesOf(snapshot, signal)
      return {
        next: () => lines.next(),
        return: async () => {
          // A generator that was never begun cleans nothing up.
          await lines.return(undefined)
          await snapshot.close()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

async function* linesOf(snapshot: CentralSnapshot, signal: AbortSignal): AsyncGenerator<string, void> {
  try {
    yield line({ watermark: snapshot.watermark })
    let count = 0
    for (const [kind, sql] of [
      ['product', productSql],
      ['stock', stockSql],
      ['order', orderSql],
    ] as const)
      for await (const rows of snapshot.rows<object>(sql)) {
        if (signal.aborted) return
        count += rows.length
        yield rows.map((row) => line({ [kind]: kind === 'order' ? orderOf(row as OrderRow) : row })).join('')
      }
    yield line({ end: count })
  } finally {
    await snapshot.close()
  }
}

/** All products, a line each. */
export async function* catalogueLines(
  database: CentralDatabase,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let after = ''
  while (!signal.aborted) {
    const rows = await database.read((queries) =>
      queries.rows<{ id: string }>(
        `SELECT * FROM (${productSql}) AS product WHERE id > $1 ORDER BY id LIMIT ${rowsAtOnce}`,
        [after],
      ),
    )
    if (rows.length > 0) yield rows.map(line).join('')
    if (rows.length < rowsAtOnce) return
    after = rows.at(-1)?.id ?? after
  }
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`
}
