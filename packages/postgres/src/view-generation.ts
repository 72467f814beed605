import type { Recorded } from '@millrace/log'
import {
  type Checkpoint,
  type Checkpoints,
  type Folding,
  foldNew,
  type Generation,
  type Held,
  later,
  newTo,
  nothingApplied,
  takenElsewhere,
} from '@millrace/view'
import type { Pool } from 'pg'
import { inTransaction, type Queries, queriesOn } from './transaction.ts'
import type { PostgresViewOptions, ViewData } from './view-schemas.ts'

interface CheckpointRow {
  readonly partition: number
  readonly id: string
  readonly seq: string
  readonly token: string
}

/** What folds and queries work with, and how that ends. */
export interface ViewTransaction<Tx> {
  readonly transaction: (queries: Queries) => Tx
  readonly finish: (tx: Tx) => Promise<void>
}

/** How the transactions of one of a view's generations begin and end. */
export function transactionOf<Tx>(options: PostgresViewOptions<Tx>, of: ViewData): ViewTransaction<Tx> {
  return {
    transaction: (queries) => options.transaction(queries, of),
    finish: async (tx) => options.finish?.(tx),
  }
}

/** Tables that every generation has beside those of its view. */
export const generationTables = [
  {
    version: 1,
    name: 'checkpoints',
    sql: `CREATE TABLE view_checkpoint (
            partition integer PRIMARY KEY,
            id text NOT NULL DEFAULT '0-0',
            seq bigint NOT NULL DEFAULT 0
          );
          CREATE TABLE view_build (name text PRIMARY KEY)`,
  },
  {
    version: 2,
    name: 'holders',
    sql: `ALTER TABLE view_checkpoint ADD COLUMN token text NOT NULL DEFAULT ''`,
  },
]

/** One generation: the tables of one schema. */
export class ViewGeneration<Tx> implements Generation<Tx> {
  readonly #pool: Pool
  readonly #view: ViewTransaction<Tx>
  readonly #enter: (queries: Queries) => Promise<void>

  /** @param enter Runs first in each transaction: what keeps swaps out. */
  constructor(
    pool: Pool,
    view: ViewTransaction<Tx>,
    enter: (queries: Queries) => Promise<void> = async () => undefined,
  ) {
    this.#pool = pool
    this.#view = view
    this.#enter = enter
  }

  checkpoints(): Promise<Checkpoints> {
    return readCheckpoints(queriesOn(this.#pool), 'view_checkpoint')
  }

  apply(events: readonly Recorded[], view: Folding<Tx>): Promise<Checkpoint> {
    const partition = events[0]?.position.partition ?? 0
    return this.locked(partition, (tx, checkpoint) => foldAll(tx, events, checkpoint, view))
  }

  async take({ partition, token }: Held): Promise<Checkpoint> {
    return inTransaction(this.#pool, async (queries) => {
      await this.#enter(queries)
      const checkpoint = await lockCheckpoint(queries, partition)
      // The row may be missing: somebody has emptied the table.
      await moveCheckpoint(queries, partition, checkpoint)
      await queries.rows('UPDATE view_checkpoint SET token = $2 WHERE partition = $1', [partition, token])
      return { id: checkpoint.id, seq: checkpoint.seq }
    })
  }

  async holds({ partition, token }: Held): Promise<boolean> {
    const sql = 'SELECT token FROM view_checkpoint WHERE partition = $1'
    const [row] = await queriesOn(this.#pool).rows<{ token: string }>(sql, [partition])
    return row?.token === token
  }

  applyHeld(
    { partition, token }: Held,
    events: readonly Recorded[],
    view: Folding<Tx>,
    reached: Checkpoint = nothingApplied,
  ): Promise<Checkpoint> {
    return this.locked(partition, async (tx, checkpoint) => {
      if (checkpoint.token !== token) throw takenElsewhere(partition)
      await foldNew(tx, events, view)
      return later(checkpoint, reached)
    })
  }

  read<T>(query: (tx: Tx) => Promise<T>): Promise<T> {
    return query(this.#view.transaction(queriesOn(this.#pool)))
  }

  /** A transaction under the lock of a partition's checkpoint, which it moves to where it answers. */
  locked(
    partition: number,
    act: (tx: Tx, checkpoint: LockedCheckpoint) => Promise<Checkpoint>,
  ): Promise<Checkpoint> {
    return inTransaction(this.#pool, async (queries) => {
      await this.#enter(queries)
      const before = await lockCheckpoint(queries, partition)
      const tx = this.#view.transaction(queries)
      const after = await act(tx, before)
      await this.#view.finish(tx)
      if (after.seq !== before.seq) await moveCheckpoint(queries, partition, after)
      return after
    })
  }
}

/** Folds what is new of events that follow the checkpoint; answers where that leads. */
export async function foldAll<Tx>(
  tx: Tx,
  events: readonly Recorded[],
  checkpoint: Checkpoint,
  view: Folding<Tx>,
): Promise<Checkpoint> {
  const fresh = newTo(checkpoint, events)
  await foldNew(tx, fresh, view)
  const last = fresh.at(-1)?.position
  return last ? { id: last.id, seq: last.seq } : checkpoint
}

/** Checkpoints by partition; `table` may be qualified by its schema, and is a name of ours. */
export async function readCheckpoints(queries: Queries, table: string): Promise<Checkpoints> {
  const rows = await queries.rows<Omit<CheckpointRow, 'token'>>(
    `SELECT partition, id, seq FROM ${table} ORDER BY partition`,
  )
  return new Map(rows.map(({ partition, id, seq }) => [partition, { id, seq: Number(seq) }]))
}

/** A checkpoint, and whose the partition is. */
export interface LockedCheckpoint extends Checkpoint {
  readonly token: string
}

/** Locks a partition's checkpoint until the end of the transaction. */
export async function lockCheckpoint(queries: Queries, partition: number): Promise<LockedCheckpoint> {
  const sql = 'SELECT partition, id, seq, token FROM view_checkpoint WHERE partition = $1 FOR UPDATE'
  const [row] = await queries.rows<CheckpointRow>(sql, [partition])
  return row ? { id: row.id, seq: Number(row.seq), token: row.token } : { ...nothingApplied, token: '' }
}

export async function moveCheckpoint(queries: Queries, partition: number, to: Checkpoint): Promise<void> {
  await queries.rows(
    `INSERT INTO view_checkpoint (partition, id, seq) VALUES ($1, $2, $3)
     ON CONFLICT (partition) DO UPDATE SET id = excluded.id, seq = excluded.seq`,
    [partition, to.id, to.seq],
  )
}
