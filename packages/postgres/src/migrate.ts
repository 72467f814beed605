import { createHash } from 'node:crypto'
import { MillraceError } from '@millrace/event'
import type { Pool, PoolClient } from 'pg'

/** One step of a schema. Once it has been applied anywhere, it never changes: the next change is a new version. */
export interface Migration {
  /** 1, 2, 3 … without a gap. */
  readonly version: number
  readonly name: string
  /** Statements that may run in a transaction (so no CREATE INDEX CONCURRENTLY). */
  readonly sql: string
}

interface AppliedRow {
  readonly version: number
  readonly name: string
  readonly checksum: string
}

/** Most time to wait for another process's migration, or for a table in use, in ms. */
const lockTimeoutMs = 60_000
/** Most time for one migration, in ms; more than the pool grants a plain statement. */
const migrationTimeoutMs = 10 * 60_000

/**
 * Brings the tables of one owner (a service, a package) to the newest version. Each migration is one transaction
 * with its record in `millrace_migrations`, under an advisory lock, so any number of processes may start at once.
 *
 * @returns the versions that this call applied
 * @throws {MillraceError} `migration.refused` when an applied migration was changed, or the database is newer than
 *   this program; `migration.failed` with the database's answer when a statement fails (nothing of it remains)
 */
export async function migrate(
  pool: Pool,
  owner: string,
  migrations: readonly Migration[],
): Promise<number[]> {
  refuseUnless(
    migrations.every(({ version }, index) => version === index + 1),
    `The migrations of ${owner} must be numbered 1, 2, 3 … without a gap.`,
  )
  const client = await pool.connect()
  try {
    const applied: number[] = []
    for (;;) {
      // The lock ends with the transaction, so the next step looks anew at what others have done meanwhile.
      const version = await applyNext(client, owner, migrations)
      if (version === undefined) return applied
      applied.push(version)
    }
  } finally {
    // A connection in an unknown state is not for others to use.
    client.release(true)
  }
}

async function applyNext(
  client: PoolClient,
  owner: string,
  migrations: readonly Migration[],
): Promise<number | undefined> {
  await client.query('BEGIN')
  try {
    await client.query(
      `SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true)`,
      [String(lockTimeoutMs), String(migrationTimeoutMs)],
    )
    await client.query(patient(`SELECT pg_advisory_xact_lock(hashtextextended('millrace_migrations', 0))`))
    const applied = await readApplied(client, owner)
    checkHistory(owner, applied, migrations)
    const next = migrations[applied.length]
    if (next !== undefined) await apply(client, owner, next)
    await client.query('COMMIT')
    return next?.version
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

async function readApplied(client: PoolClient, owner: string): Promise<AppliedRow[]> {
  await client.query(
    `CREATE TABLE IF NOT EXISTS millrace_migrations (
       owner text NOT NULL,
       version integer NOT NULL,
       name text NOT NULL,
       checksum text NOT NULL,
       applied_at timestamptz NOT NULL DEFAULT now(),
       PRIMARY KEY (owner, version)
     )`,
  )
  const answer = await client.query<AppliedRow>(
    'SELECT version, name, checksum FROM millrace_migrations WHERE owner = $1 ORDER BY version',
    [owner],
  )
  return answer.rows
}

function checkHistory(owner: string, applied: readonly AppliedRow[], migrations: readonly Migration[]): void {
  for (const [index, row] of applied.entries()) {
    const known = migrations[index]
    refuseUnless(
      row.version === index + 1,
      `Of ${owner}'s migrations, version ${index + 1} was never applied.`,
    )
    refuseUnless(
      known !== undefined,
      `The database has ${owner}'s migration ${row.version} (${row.name}), which this program does not know: a newer one has been here.`,
    )
    refuseUnless(
      known.name === row.name && checksumOf(known) === row.checksum,
      `${owner}'s migration ${row.version} (${row.name}) was changed after it had been applied; add a new one instead.`,
    )
  }
}

async function apply(client: PoolClient, owner: string, migration: Migration): Promise<void> {
  try {
    await client.query(patient(migration.sql))
  } catch (cause) {
    const answer = cause instanceof Error ? cause.message : String(cause)
    throw new MillraceError(
      'migration.failed',
      `${owner}'s migration ${migration.version} (${migration.name}) failed: ${answer}`,
      { cause, details: { owner, version: migration.version } },
    )
  }
  await client.query(
    'INSERT INTO millrace_migrations (owner, version, name, checksum) VALUES ($1, $2, $3, $4)',
    [owner, migration.version, migration.name, checksumOf(migration)],
  )
}

/** The pool gives up on a plain statement much earlier. */
function patient(text: string): { text: string; query_timeout: number } {
  return { text, query_timeout: migrationTimeoutMs }
}

/** A checkout with other line ends is not another migration. */
function checksumOf(migration: Migration): string {
  return createHash('sha256').update(migration.sql.replaceAll('\r\n', '\n')).digest('hex')
}

function refuseUnless(condition: boolean, message: string): asserts condition {
  if (!condition) throw new MillraceError('migration.refused', message)
}
