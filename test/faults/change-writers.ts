import { setTimeout as pause } from 'node:timers/promises'
import { openPool } from '@millrace/postgres'
import { between, oneOf, type Random, randomOf } from '../support/random.ts'

type Pool = ReturnType<typeof openPool>
/** One connection of the pool. */
type Client = Parameters<Parameters<Pool['connect']>[0]>[1] & object

/** How much was written. */
export interface WriterTale {
  changes: number
  transactions: number
  rolledBack: number
  large: number
  /** Transactions that ended with the connection: nobody knows how, until the database is asked. */
  unknown: number
}

const writers = 3
/** Of one writer in one table: there are always ids left. */
const mostRows = 500
const tableNames = ['stock', 'orders'] as const

/** Applications that write to the tables in mixed transactions, each to rows of its own. */
export class ChangeWriters {
  readonly tale: WriterTale = { changes: 0, transactions: 0, rolledBack: 0, large: 0, unknown: 0 }
  readonly #pool: Pool
  readonly #seed: number
  readonly #rows = Array.from(
    { length: writers },
    () => new Map<string, Set<number>>(tableNames.map((name) => [name, new Set()])),
  )
  #op = 0
  #allowed = 0
  #isOver = false

  constructor(url: string, seed: number) {
    this.#pool = openPool(url, { onError: () => undefined, connectTimeoutMs: 2_000 })
    this.#seed = seed
  }

  /** Rows that are there before anybody reads. */
  async fill(rowsPerTable: number): Promise<void> {
    for (const table of tableNames)
      for (let id = 1; id <= rowsPerTable; id++) {
        await this.#pool.query(`INSERT INTO ${table} (id, op, body) VALUES ($1, $2, 'there before')`, [
          id,
          this.#nextOp(),
        ])
        this.#rows[id % writers]?.get(table)?.add(id)
      }
  }

  /** Finds out which rows are there. */
  async relearnAll(): Promise<void> {
    const { rows } = await this.#pool.query<{ op: string }>(
      'SELECT max(op)::text AS op FROM (SELECT op FROM stock UNION ALL SELECT op FROM orders) AS of_both',
    )
    this.#op = Number(rows[0]?.op ?? 0)
    for (let writer = 0; writer < writers; writer++) await this.#relearn(writer)
  }

  /** One transaction of many rows, more than any buffer on the way holds. */
  async bulk(rows: number): Promise<void> {
    await this.#pool.query(
      `INSERT INTO stock (id, op, body) SELECT 1000000 + g, 1000000000 + g, repeat(md5(g::text), 1 + g % 20)
       FROM generate_series(1, $1::integer) AS g`,
      [rows],
    )
    this.tale.changes += rows
    this.tale.transactions += 1
  }

  /** Writes as many changes as were allowed, until `stop`. */
  async run(): Promise<void> {
    await Promise.all(this.#rows.map((_, at) => this.#write(at)))
  }

  /** This many changes in all may be written by now. */
  allow(changes: number): void {
    this.#allowed = changes
  }

  /** Whether everything that was allowed is written. */
  get isDone(): boolean {
    return this.tale.changes >= this.#allowed
  }

  stop(): void {
    this.#isOver = true
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  async #write(writer: number): Promise<void> {
    const random = randomOf(this.#seed + writer * 7_919)
    while (!this.#isOver) {
      if (this.isDone) {
        await pause(5)
        continue
      }
      let client: Client | undefined
      try {
        client = await this.#pool.connect()
        await this.#transaction(client, writer, random)
        client.release()
      } catch {
        // The server is being started again: what this transaction came to is not known here.
        this.tale.unknown += 1
        client?.release(true)
        await this.#relearn(writer)
      }
    }
  }

  async #transaction(client: Client, writer: number, random: Random): Promise<void> {
    const rows = this.#rows[writer] as Map<string, Set<number>>
    const before = new Map([...rows].map(([table, ids]) => [table, new Set(ids)]))
    const undo = () => {
      for (const [table, ids] of before) rows.set(table, ids)
    }
    await client.query('BEGIN')
    if (random() < 0.3)
      await client.query(`SELECT pg_logical_emit_message(true, 'millrace.correlation', $1)`, [
        `c-${this.#op}`,
      ])
    const steps = between(random, 1, random() < 0.05 ? 120 : 10)
    let changes = 0
    for (let step = 0; step < steps; step++) {
      const kind = random()
      if (kind < 0.05) await client.query(`INSERT INTO notes (text) VALUES ('nobody is told')`)
      else if (kind < 0.1) {
        await client.query('SAVEPOINT s')
        const kept = new Map([...rows].map(([table, ids]) => [table, new Set(ids)]))
        await this.#change(client, rows, writer, random)
        await client.query('ROLLBACK TO s')
        for (const [table, ids] of kept) rows.set(table, ids)
      } else {
        await this.#change(client, rows, writer, random)
        changes += 1
      }
    }
    if (random() < 0.1) {
      await client.query('ROLLBACK')
      undo()
      this.tale.rolledBack += 1
      return
    }
    await client.query('COMMIT')
    this.tale.transactions += 1
    this.tale.changes += changes
  }

  async #change(
    client: Client,
    rows: Map<string, Set<number>>,
    writer: number,
    random: Random,
  ): Promise<void> {
    const table = oneOf(random, tableNames)
    const ids = rows.get(table) as Set<number>
    const kind = random()
    const op = this.#nextOp()
    if (ids.size < 5 || (kind < 0.35 && ids.size < mostRows)) {
      const id = this.#free(ids, writer, random)
      ids.add(id)
      await client.query(`INSERT INTO ${table} (id, op, body) VALUES ($1, $2, $3)`, [
        id,
        op,
        this.#body(random),
      ])
      return
    }
    const id = oneOf(random, [...ids])
    if (kind < 0.75) await client.query(`UPDATE ${table} SET op = $2 WHERE id = $1`, [id, op])
    else if (kind < 0.8)
      await client.query(`UPDATE ${table} SET op = $2, body = $3 WHERE id = $1`, [id, op, this.#body(random)])
    else if (kind < 0.83) {
      const to = this.#free(ids, writer, random)
      ids.delete(id)
      ids.add(to)
      await client.query(`UPDATE ${table} SET id = $3, op = $2 WHERE id = $1`, [id, op, to])
    } else {
      ids.delete(id)
      await client.query(`DELETE FROM ${table} WHERE id = $1`, [id])
    }
  }

  #free(ids: ReadonlySet<number>, writer: number, random: Random): number {
    for (;;) {
      const id = between(random, 1, 1_000) * writers + writer
      if (!ids.has(id)) return id
    }
  }

  /** One in forty is stored out of line. */
  #body(random: Random): string {
    if (random() > 0.025) return 'short'
    this.tale.large += 1
    let text = ''
    while (text.length < between(random, 4_000, 40_000)) text += random().toString(36).slice(2)
    return text
  }

  #nextOp(): number {
    this.#op += 1
    return this.#op
  }

  /** After an unknown outcome: which rows are there. */
  async #relearn(writer: number): Promise<void> {
    while (!this.#isOver)
      try {
        for (const table of tableNames) {
          const { rows } = await this.#pool.query<{ id: number }>(
            `SELECT id FROM ${table} WHERE id % ${writers} = $1`,
            [writer],
          )
          this.#rows[writer]?.set(table, new Set(rows.map(({ id }) => id)))
        }
        return
      } catch {
        await pause(100)
      }
  }
}
