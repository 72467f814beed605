import type { Recorded } from '@millrace/log'
import {
  type Checkpoint,
  type Checkpoints,
  type Fold,
  type Generation,
  newTo,
  nothingApplied,
} from '@millrace/view'
import type { Pool } from 'pg'
import { inTransaction, type Queries, queriesOn } from './transaction.ts'

interface CheckpointRow {
  readonly partition: number
  readonly id: string
  readonly seq: string
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
]

/** One generation: the tables of one schema. */
export class ViewGeneration<Tx> implements Generation<Tx> {
  readonly #pool: Pool
  readonly #transaction: (queries: Queries) => Tx
  readonly #enter: (queries: Queries) => Promise<void>

  /** @param enter Runs first in each transaction: what keeps swaps out. */
  constructor(
    pool: Pool,
    transaction: (queries: Queries) => Tx,
    enter: (queries: Queries) => Promise<void> = async () => undefined,
  ) {
    this.#pool = pool
    this.#transaction = transaction
    this.#enter = enter
  }

  checkpoints(): Promise<Checkpoints> {
    return readCheckpoints(queriesOn(this.#pool), 'view_checkpoint')
  }

  apply(events: readonly Recorded[], fold: Fold<Tx>): Promise<Checkpoint> {
    const partition = events[0]?.position.partition ?? 0
    return this.locked(partition, (tx, checkpoint) => foldAll(events, checkpoint, (one) => fold(tx, one)))
  }

  read<T>(query: (tx: Tx) => Promise<T>): Promise<T> {
    return query(this.#transaction(queriesOn(this.#pool)))
  }

  /** A transaction under the lock of a partition's checkpoint, which it moves to where it answers. */
  locked(
    partition: number,
    act: (tx: Tx, checkpoint: Checkpoint) => Promise<Checkpoint>,
  ): Promise<Checkpoint> {
    return inTransaction(this.#pool, async (queries) => {
      await this.#enter(queries)
      const before = await lockCheckpoint(queries, partition)
      const after = await act(this.#transaction(queries), before)
      if (after.seq !== before.seq) await moveCheckpoint(queries, partition, after)
      return after
    })
  }
}

/** Folds what is new; answers where that leads. */
export async function foldAll(
  events: readonly Recorded[],
  checkpoint: Checkpoint,
  fold: (recorded: Recorded) => Promise<void>,
): Promise<Checkpoint> {
  let stands = checkpoint
  for (const recorded of newTo(checkpoint, events)) {
    await fold(recorded)
    stands = { id: recorded.position.id, seq: recorded.position.seq }
  }
  return stands
}

/** Checkpoints by partition; `table` may be qualified by its schema, and is a name of ours. */
export async function readCheckpoints(queries: Queries, table: string): Promise<Checkpoints> {
  const rows = await queries.rows<CheckpointRow>(`SELECT partition, id, seq FROM ${table} ORDER BY partition`)
  return new Map(rows.map(({ partition, id, seq }) => [partition, { id, seq: Number(seq) }]))
}

/** Locks a partition's checkpoint until the end of the transaction. */
export async function lockCheckpoint(queries: Queries, partition: number): Promise<Checkpoint> {
  const sql = 'SELECT partition, id, seq FROM view_checkpoint WHERE partition = $1 FOR UPDATE'
  const [row] = await queries.rows<CheckpointRow>(sql, [partition])
  return row ? { id: row.id, seq: Number(row.seq) } : nothingApplied
}

export async function moveCheckpoint(queries: Queries, partition: number, to: Checkpoint): Promise<void> {
  await queries.rows(
    `INSERT INTO view_checkpoint (partition, id, seq) VALUES ($1, $2, $3)
     ON CONFLICT (partition) DO UPDATE SET id = excluded.id, seq = excluded.seq`,
    [partition, to.id, to.seq],
  )
}
