import { accounts } from '@millrace/accounts'
import {
  openViewStore,
  type PoolOptions,
  type PostgresViewStore,
  type Queries,
  readMigrations,
} from '@millrace/postgres'
import type { AccountRow, AccountRows, SignUpCount, SignUpsBy } from './account-rows.ts'

/** Options of {@link openAccountView}. */
export interface AccountViewOptions extends PoolOptions {
  readonly url: string
  /** Default `user_query`. */
  readonly schema?: string
}

/** Opens the view's data in PostgreSQL. Nothing is connected before the first use. */
export async function openAccountView(options: AccountViewOptions): Promise<PostgresViewStore<AccountRows>> {
  return openViewStore({
    ...options,
    schema: options.schema ?? 'user_query',
    partitions: accounts.partitions,
    migrations: await readMigrations(new URL('../migrations/', import.meta.url)),
    transaction: (queries): GatheredRows => new GatheredRows(queries),
    finish: (rows) => (rows as GatheredRows).write(),
  })
}

interface StoredRow {
  readonly id: string
  readonly username: string
  readonly email: string
  readonly activated: boolean
  readonly closed: boolean
  readonly created_at: Date
  readonly version: number
  readonly password_version: number
  readonly partition: number
  readonly last_seq: string
  readonly day: string
  readonly host: string
}

// The day as text: as a date the driver would shift it by the machine's time zone.
const columns =
  'id, username, email, activated, closed, created_at, version, password_version, partition, last_seq, day::text, host'
const touchedAtOnce = 100

/** The rows of one transaction: got and kept in memory, and written together at its end, however many events it folds. */
class GatheredRows implements AccountRows {
  readonly #queries: Queries
  /** What is known; undefined: there is no such account. */
  readonly #known = new Map<string, AccountRow | undefined>()
  readonly #changed = new Set<string>()
  readonly #counts = new Map<string, number>()

  constructor(queries: Queries) {
    this.#queries = queries
  }

  async load(ids: readonly string[]): Promise<readonly AccountRow[]> {
    const sql = `SELECT ${columns} FROM account WHERE id = ANY($1)`
    const rows = (await this.#queries.rows<StoredRow>(sql, [ids])).map(rowOf)
    for (const id of ids) this.#known.set(id, undefined)
    for (const row of rows) this.#known.set(row.id, row)
    return rows
  }

  async get(id: string): Promise<AccountRow | undefined> {
    if (!this.#known.has(id)) await this.load([id])
    return this.#known.get(id)
  }

  async put(row: AccountRow): Promise<void> {
    this.#known.set(row.id, row)
    this.#changed.add(row.id)
  }

  async remove(id: string): Promise<void> {
    await this.#queries.rows('DELETE FROM account WHERE id = $1', [id])
    this.#known.set(id, undefined)
    this.#changed.delete(id)
  }

  async touchedAfter(partition: number, seq: number): Promise<readonly AccountRow[]> {
    const sql = `SELECT ${columns} FROM account WHERE partition = $1 AND last_seq > $2 ORDER BY last_seq LIMIT $3`
    return (await this.#queries.rows<StoredRow>(sql, [partition, seq, touchedAtOnce])).map(rowOf)
  }

  async countSignUp(
    { partition, day, host }: Pick<AccountRow, 'partition' | 'day' | 'host'>,
    by: 1 | -1,
  ): Promise<void> {
    const of = JSON.stringify([partition, day, host])
    this.#counts.set(of, (this.#counts.get(of) ?? 0) + by)
  }

  async signUps(by: SignUpsBy, limit: number): Promise<readonly SignUpCount[]> {
    const rows = await this.#queries.rows<{ of: string; count: string }>(signUpsSql[by], [limit])
    return rows.map(({ of, count }) => ({ of, count: Number(count) }))
  }

  /** Writes what was gathered. */
  async write(): Promise<void> {
    const rows = [...this.#changed].flatMap((id) => this.#known.get(id) ?? [])
    // In one order everywhere: transactions that meet wait for one another, and never in a circle.
    const inOrder = rows.toSorted((a, b) => (a.id < b.id ? -1 : 1))
    if (inOrder.length > 0) await this.#queries.rows(putSql, valuesOf(inOrder))
    const counts = [...this.#counts].filter(([, by]) => by !== 0).toSorted(([a], [b]) => (a < b ? -1 : 1))
    if (counts.length > 0) {
      const places = counts.map(([of]) => JSON.parse(of) as [number, string, string])
      await this.#queries.rows(countSql, [
        places.map(([partition]) => partition),
        places.map(([, day]) => day),
        places.map(([, , host]) => host),
        counts.map(([, by]) => by),
      ])
    }
    this.#changed.clear()
    this.#counts.clear()
  }
}

const putSql = `
  INSERT INTO account (id, username, email, activated, closed, created_at, version, password_version, partition, last_seq, day, host)
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::boolean[], $6::timestamptz[], $7::integer[],
    $8::integer[], $9::integer[], $10::bigint[], $11::date[], $12::text[])
  ON CONFLICT (id) DO UPDATE SET
    username = excluded.username, email = excluded.email, activated = excluded.activated, closed = excluded.closed,
    version = excluded.version, password_version = excluded.password_version, last_seq = excluded.last_seq`

const countSql = `
  INSERT INTO sign_up_count AS stored (partition, day, host, count)
  SELECT * FROM unnest($1::integer[], $2::date[], $3::text[], $4::integer[])
  ON CONFLICT (partition, day, host) DO UPDATE SET count = stored.count + excluded.count`

const signUpsSql = {
  day: `SELECT * FROM (
          SELECT day::text AS of, sum(count) AS count FROM sign_up_count GROUP BY day HAVING sum(count) > 0
          ORDER BY day DESC LIMIT $1
        ) AS latest ORDER BY of`,
  host: `SELECT host AS of, sum(count) AS count FROM sign_up_count GROUP BY host HAVING sum(count) > 0
         ORDER BY count DESC, host LIMIT $1`,
} as const

/** The columns of rows, in the order of {@link putSql}. */
function valuesOf(rows: readonly AccountRow[]): readonly unknown[] {
  return [
    rows.map(({ id }) => id),
    rows.map(({ username }) => username),
    rows.map(({ email }) => email),
    rows.map(({ activated }) => activated),
    rows.map(({ closed }) => closed),
    rows.map(({ createdAt }) => createdAt),
    rows.map(({ version }) => version),
    rows.map(({ passwordVersion }) => passwordVersion),
    rows.map(({ partition }) => partition),
    rows.map(({ lastSeq }) => lastSeq),
    rows.map(({ day }) => day),
    rows.map(({ host }) => host),
  ]
}

function rowOf(row: StoredRow): AccountRow {
  const { id, username, email, activated, closed, version, partition, day, host } = row
  return {
    id,
    username,
    email,
    activated,
    closed,
    createdAt: row.created_at.toISOString(),
    version,
    passwordVersion: row.password_version,
    partition,
    lastSeq: Number(row.last_seq),
    day,
    host,
  }
}
