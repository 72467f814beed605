import { accounts } from '@millrace/accounts'
import {
  openViewStore,
  type PoolOptions,
  type PostgresViewStore,
  type Queries,
  readMigrations,
} from '@millrace/postgres'
import type { AccountRow, AccountRows, SignUpCount } from './account-rows.ts'

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
    transaction: rowsOn,
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

function rowsOn(queries: Queries): AccountRows {
  return {
    get: async (id) => {
      const sql = `SELECT ${columns} FROM account WHERE id = $1`
      const [row] = await queries.rows<StoredRow>(sql, [id])
      return row && rowOf(row)
    },
    put: async (row) => {
      await queries.rows(putSql, [
        row.id,
        row.username,
        row.email,
        row.activated,
        row.closed,
        row.createdAt,
        row.version,
        row.passwordVersion,
        row.partition,
        row.lastSeq,
        row.day,
        row.host,
      ])
    },
    remove: async (id) => {
      await queries.rows('DELETE FROM account WHERE id = $1', [id])
    },
    touchedAfter: async (partition, seq) => {
      const sql = `SELECT ${columns} FROM account WHERE partition = $1 AND last_seq > $2 ORDER BY last_seq LIMIT $3`
      return (await queries.rows<StoredRow>(sql, [partition, seq, touchedAtOnce])).map(rowOf)
    },
    countSignUp: async ({ partition, day, host }, by) => {
      await queries.rows(
        `INSERT INTO sign_up_count AS stored (partition, day, host, count) VALUES ($1, $2, $3, $4)
         ON CONFLICT (partition, day, host) DO UPDATE SET count = stored.count + excluded.count`,
        [partition, day, host, by],
      )
    },
    signUps: async (by, limit) => {
      const rows = await queries.rows<{ of: string; count: string }>(signUpsSql[by], [limit])
      return rows.map(({ of, count }): SignUpCount => ({ of, count: Number(count) }))
    },
  }
}

const putSql = `
  INSERT INTO account (id, username, email, activated, closed, created_at, version, password_version, partition, last_seq, day, host)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  ON CONFLICT (id) DO UPDATE SET
    username = excluded.username, email = excluded.email, activated = excluded.activated, closed = excluded.closed,
    version = excluded.version, password_version = excluded.password_version, last_seq = excluded.last_seq`

const signUpsSql = {
  day: `SELECT * FROM (
          SELECT day::text AS of, sum(count) AS count FROM sign_up_count GROUP BY day HAVING sum(count) > 0
          ORDER BY day DESC LIMIT $1
        ) AS latest ORDER BY of`,
  host: `SELECT host AS of, sum(count) AS count FROM sign_up_count GROUP BY host HAVING sum(count) > 0
         ORDER BY count DESC, host LIMIT $1`,
} as const

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
