import { MillraceError } from '@millrace/event'
import type { Pool } from 'pg'
import { migrate, type Migration } from './migrate.ts'
import type { PoolOptions } from './pool.ts'
import { inTransaction, type Queries, queriesOn } from './transaction.ts'
import { generationTables } from './view-generation.ts'

/** Options of {@link openViewStore}. */
export interface PostgresViewOptions<Tx> extends PoolOptions {
  readonly url: string
  /** Schema of the live generation: lower case letters, digits, underscores. `<schema>_next` and `_old` are taken, too. */
  readonly schema: string
  readonly partitions: number
  /** The view's own tables, without a schema in their names. */
  readonly migrations: readonly Migration[]
  /** What folds and queries work with. What tells others of its changes must not do so of data that are being built. */
  readonly transaction: (queries: Queries, of: ViewData) => Tx
  /** Called at the end of each transaction that folds: what was gathered for it is to be written now. */
  readonly finish?: (tx: Tx) => Promise<void>
  /** Called at the end of the transaction that puts other data in the place of the live ones: any row may differ. */
  readonly swapped?: (queries: Queries) => Promise<void>
}

/** Which data of a view: those that are read, or those that are built beside them. */
export type ViewData = 'live' | 'building'

/** Names and lock of a view's generations; the names were checked, so they may stand in statements. */
export class ViewSchemas {
  readonly live: string
  readonly next: string
  readonly old: string

  constructor(schema: string) {
    this.live = schema
    this.next = `${schema}_next`
    this.old = `${schema}_old`
  }

  /** Whoever applies holds this together with others; who swaps or makes schemas, alone. Ends with the transaction. */
  async lock(queries: Queries, how: 'shared' | 'alone'): Promise<void> {
    const call = how === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock'
    await queries.rows(`SELECT ${call}(hashtextextended($1, 0))`, [`millrace view ${this.live}`])
  }
}

/** Brings a generation's tables to the newest version and gives each partition its checkpoint. */
export async function makeTables(
  pool: Pool,
  options: Pick<PostgresViewOptions<never>, 'migrations' | 'partitions'>,
): Promise<void> {
  await migrate(pool, 'millrace-view', generationTables)
  await migrate(pool, 'view', options.migrations)
  await inTransaction(pool, async (queries) => {
    await queries.rows(
      `INSERT INTO view_checkpoint (partition) SELECT generate_series(0, $1::integer - 1) ON CONFLICT DO NOTHING`,
      [options.partitions],
    )
    const [row] = await queries.rows<{ count: string }>('SELECT count(*) FROM view_checkpoint')
    if (Number(row?.count) !== options.partitions)
      throw new MillraceError(
        'migration.refused',
        `The view has ${row?.count} partitions, not ${options.partitions}`,
      )
  })
}

/** Drops the generation that a swap has put aside; waits for those who still read it, up to the statement's time. */
export async function dropOld(pool: Pool, { old }: ViewSchemas): Promise<void> {
  const queries = queriesOn(pool)
  const found = await queries.rows('SELECT 1 AS found FROM pg_namespace WHERE nspname = $1', [old])
  if (found.length > 0) await queries.rows(`DROP SCHEMA IF EXISTS ${old} CASCADE`)
}
