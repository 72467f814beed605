import pg from 'pg'

export interface PoolOptions {
  /** Called when a connection fails, whoever holds it; the pool replaces the connection. */
  readonly onError: (error: Error) => void
  /** Shown by the server in pg_stat_activity. */
  readonly applicationName?: string
  /** Most connections at once. */
  readonly maxConnections?: number
  /** Most time to get a connection, in ms. */
  readonly connectTimeoutMs?: number
  /** Most time for one statement, in ms; the server ends it. */
  readonly statementTimeoutMs?: number
  /**
   * Most time that a transaction may wait for its client, in ms; the server ends it then. Else a process that sleeps in
   * the midst of one would keep what it has locked from whoever takes its work over. Default 30,000.
   */
  readonly idleTransactionMs?: number
}

const defaults = {
  applicationName: 'millrace',
  maxConnections: 10,
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 15_000,
  idleTransactionMs: 30_000,
} satisfies Partial<PoolOptions>

/**
 * Opens a pool from a URL; nothing is connected until the first query. TLS is as the URL's `sslmode` says, and a
 * certificate is always checked, unless it says `no-verify`. Whoever opens a pool ends it: `await pool.end()`.
 */
export function openPool(url: string, options: PoolOptions): pg.Pool {
  const {
    applicationName,
    maxConnections,
    connectTimeoutMs,
    statementTimeoutMs,
    idleTransactionMs,
    onError,
  } = { ...defaults, ...options }
  const pool = new pg.Pool({
    connectionString: strictTls(url),
    application_name: applicationName,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleTransactionMs,
    // The server may be gone without a word; its statement timeout cannot tell us then.
    query_timeout: statementTimeoutMs + connectTimeoutMs,
    keepAlive: true,
  })
  // An 'error' that nobody listens for ends the process. The pool tells of idle connections alone.
  pool.on('error', onError)
  pool.on('connect', (client) => client.on('error', onError))
  return pool
}

/**
 * `require`, `prefer` and `verify-ca` become `verify-full`: the driver takes them as such, with a warning, and means
 * to weaken them in its next major version. With libpq's rules asked for (`uselibpqcompat`), they are left alone.
 */
export function strictTls(url: string): string {
  if (/[?&]uselibpqcompat=true\b/.test(url)) return url
  return url.replace(/([?&]sslmode=)(require|prefer|verify-ca)\b/, '$1verify-full')
}
