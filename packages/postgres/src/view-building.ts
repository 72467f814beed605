import { MillraceError } from '@millrace/event'
import type { Recorded } from '@millrace/log'
import type { Building, Checkpoint, Checkpoints, Folding } from '@millrace/view'
import type { Pool, PoolClient } from 'pg'
import { isMissing } from './database-failure.ts'
import { openSchemaPool } from './schema-pool.ts'
import { connected, inTransaction, type Queries, queriesOn } from './transaction.ts'
import {
  foldAll,
  lockCheckpoint,
  moveCheckpoint,
  readCheckpoints,
  transactionOf,
  ViewGeneration,
  type ViewTransaction,
} from './view-generation.ts'
import { dropOld, makeTables, type PostgresViewOptions, type ViewSchemas } from './view-schemas.ts'

/** Most time for the copy of one table, in ms; more than the pool grants a plain statement. */
const copyTimeoutMs = 3_600_000
/** Most time that a swap waits for those who apply, in ms. */
const swapLockMs = 10_000

/**
 * Begins or resumes the building of a generation. One process at a time: it holds an advisory lock on a connection
 * of its own, which ends with the process.
 */
export async function beginBuilding<Tx>(
  options: PostgresViewOptions<Tx>,
  schemas: ViewSchemas,
  name: string,
  begin: 'empty' | 'copy',
): Promise<Building<Tx>> {
  const pool = openSchemaPool(options.url, schemas.next, options)
  let lock: PoolClient | undefined
  try {
    lock = await connected(pool)
    await takeLock(lock, schemas)
    const resumed = (await builtName(pool)) === name
    if (!resumed) await startAfresh(pool, options, schemas, name, begin)
    return new BuildingInPostgres(pool, lock, options, schemas, resumed)
  } catch (error) {
    lock?.release(true)
    await pool.end()
    throw error
  }
}

class BuildingInPostgres<Tx> implements Building<Tx> {
  readonly resumed: boolean
  readonly #pool: Pool
  readonly #lock: PoolClient
  readonly #options: PostgresViewOptions<Tx>
  readonly #schemas: ViewSchemas
  readonly #view: ViewTransaction<Tx>
  readonly #generation: ViewGeneration<Tx>

  constructor(
    pool: Pool,
    lock: PoolClient,
    options: PostgresViewOptions<Tx>,
    schemas: ViewSchemas,
    resumed: boolean,
  ) {
    this.#pool = pool
    this.#lock = lock
    this.#options = options
    this.#schemas = schemas
    this.resumed = resumed
    this.#view = transactionOf(options, 'building')
    this.#generation = new ViewGeneration(pool, this.#view)
  }

  checkpoints(): Promise<Checkpoints> {
    return this.#generation.checkpoints()
  }

  apply(events: readonly Recorded[], view: Folding<Tx>): Promise<Checkpoint> {
    return this.#generation.apply(events, view)
  }

  async rewind(partition: number, to: Checkpoint, undo: (tx: Tx) => Promise<'more' | 'done'>): Promise<void> {
    for (let more = true; more;)
      await this.#generation.locked(partition, async (tx, checkpoint) => {
        // Also when it stands before that: events behind a checkpoint may be in the data.
        more = (await undo(tx)) === 'more'
        return more || checkpoint.seq <= to.seq ? checkpoint : to
      })
  }

  async swap(
    missing: (partition: number, from: Checkpoint, to: Checkpoint) => Promise<readonly Recorded[]>,
    view: Folding<Tx>,
  ): Promise<void> {
    const { live, next, old } = this.#schemas
    await dropOld(this.#pool, this.#schemas)
    await inTransaction(this.#pool, async (queries) => {
      await queries.rows(`SELECT set_config('lock_timeout', $1, true)`, [String(swapLockMs)])
      await this.#schemas.lock(queries, 'alone')
      for (const [partition, to] of await readCheckpoints(queries, `${live}.view_checkpoint`)) {
        const from = await lockCheckpoint(queries, partition)
        if (from.seq >= to.seq) continue
        const events = await missing(partition, from, to)
        const tx = this.#view.transaction(queries)
        await moveCheckpoint(queries, partition, await foldAll(tx, events, from, view))
        await this.#view.finish(tx)
      }
      await queries.rows('DELETE FROM view_build')
      await queries.rows(`ALTER SCHEMA ${live} RENAME TO ${old}`)
      await queries.rows(`ALTER SCHEMA ${next} RENAME TO ${live}`)
      await this.#options.swapped?.(queries)
    })
    // Not in the same transaction: it waits for those who still read the old tables. The next `prepare` does it, too.
    await dropOld(this.#pool, this.#schemas).catch(this.#options.onError)
  }

  async close(): Promise<void> {
    // By word: a connection that ends is noticed by the server a little later, and the next rebuild may come at once.
    const sql = 'SELECT pg_advisory_unlock(hashtextextended($1, 0))'
    await queriesOn(this.#lock)
      .rows(sql, [lockName(this.#schemas)])
      .catch(this.#options.onError)
    this.#lock.release(true)
    await this.#pool.end()
  }
}

function lockName(schemas: ViewSchemas): string {
  return `millrace rebuild ${schemas.live}`
}

async function takeLock(client: PoolClient, schemas: ViewSchemas): Promise<void> {
  const sql = 'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS taken'
  const [row] = await queriesOn(client).rows<{ taken: boolean }>(sql, [lockName(schemas)])
  if (row?.taken !== true) throw new MillraceError('view.rebuilding')
}

/** What the generation that was left behind is; undefined when there is none, or it was not even begun properly. */
async function builtName(pool: Pool): Promise<string | undefined> {
  try {
    const [row] = await queriesOn(pool).rows<{ name: string }>('SELECT name FROM view_build')
    return row?.name
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** The name is written last, so that a crash on the way leaves nothing that could be resumed. */
async function startAfresh<Tx>(
  pool: Pool,
  options: PostgresViewOptions<Tx>,
  schemas: ViewSchemas,
  name: string,
  begin: 'empty' | 'copy',
): Promise<void> {
  await inTransaction(pool, async (queries) => {
    await queries.rows(`DROP SCHEMA IF EXISTS ${schemas.next} CASCADE`)
    await queries.rows(`CREATE SCHEMA ${schemas.next}`)
  })
  await makeTables(pool, options)
  await inTransaction(pool, async (queries) => {
    if (begin === 'copy') await copyLive(queries, schemas)
    await queries.rows('INSERT INTO view_build (name) VALUES ($1)', [name])
  })
}

/**
 * Copies the data and checkpoints of the live generation as they are at one moment. A view's tables have no foreign
 * keys and no columns that the database counts: they are derived data.
 */
async function copyLive(queries: Queries, { live, next }: ViewSchemas): Promise<void> {
  await queries.rows('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ')
  await queries.rows(`SELECT set_config('statement_timeout', $1, true)`, [String(copyTimeoutMs)])
  const applied = (schema: string) =>
    queries.rows<{ version: number }>(
      `SELECT owner, version, checksum FROM ${schema}.millrace_migrations ORDER BY 1, 2`,
    )
  if (JSON.stringify(await applied(live)) !== JSON.stringify(await applied(next)))
    throw new MillraceError(
      'migration.refused',
      'The live view has other tables than this program; rebuild it whole',
    )
  await queries.rows('DELETE FROM view_checkpoint')
  const tables = await queries.rows<{ name: string }>(
    `SELECT quote_ident(table_name) AS name FROM information_schema.tables
     WHERE table_schema = $1 AND table_type = 'BASE TABLE' AND table_name NOT IN ('millrace_migrations', 'view_build')`,
    [live],
  )
  for (const { name } of tables)
    await queries.rows(`INSERT INTO ${name} SELECT * FROM ${live}.${name}`, [], copyTimeoutMs)
  // Whoever has a partition of the live generation in hand has nothing of this one.
  await queries.rows(`UPDATE view_checkpoint SET token = ''`)
}
