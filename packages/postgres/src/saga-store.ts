import { randomUUID } from 'node:crypto'
import type { SagaDraft, SagaProgress, SagaRecord, SagaState, SagaStore } from '@millrace/saga'
import { inTransaction, type Queries } from './transaction.ts'
import type { Pool } from 'pg'

/** Tables of sagas, for the migrations of the service that has them, in its own schema. */
export const sagaTables = `
CREATE TABLE saga (
  id text PRIMARY KEY,
  saga text NOT NULL,
  input jsonb NOT NULL,
  correlation_id text NOT NULL,
  state text NOT NULL,
  done integer NOT NULL,
  results jsonb NOT NULL,
  failures integer NOT NULL,
  error jsonb,
  due_ms bigint NOT NULL,
  started_ms bigint NOT NULL,
  -- In whose hand it is, and until when.
  token text NOT NULL DEFAULT '',
  held_until_ms bigint NOT NULL DEFAULT 0
);
CREATE INDEX saga_due ON saga (due_ms) WHERE state IN ('running', 'undoing');
CREATE INDEX saga_by_state ON saga (state, started_ms);`

interface SagaRow {
  readonly id: string
  readonly saga: string
  readonly input: unknown
  readonly correlation_id: string
  readonly state: SagaState
  readonly done: number
  readonly results: Readonly<Record<string, unknown>>
  readonly failures: number
  readonly error: SagaRecord['error'] | null
  readonly due_ms: string
  readonly started_ms: string
}

const columns = 'id, saga, input, correlation_id, state, done, results, failures, error, due_ms, started_ms'

/** Sagas in PostgreSQL: the tables are {@link sagaTables}, on the search path of the pool. */
export function postgresSagaStore(pool: Pool): SagaStore {
  const query = <Row extends object>(sql: string, values: readonly unknown[]) =>
    inTransaction(pool, (queries) => queries.rows<Row>(sql, values))
  return {
    begin: (draft) => inTransaction(pool, (queries) => recordSaga(queries, draft)),
    take: async (of, nowMs, holdMs) => {
      const token = randomUUID()
      const [which, value] = of === 'due' ? ['due_ms <= $1', []] : ['id = $4', [of.id]]
      const sql = `
        UPDATE saga SET token = $2, held_until_ms = $1::bigint + $3
        WHERE id = (
          SELECT id FROM saga
          WHERE state IN ('running', 'undoing') AND held_until_ms <= $1 AND ${which}
          ORDER BY due_ms LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING ${columns}`
      const [row] = await query<SagaRow>(sql, [nowMs, token, holdMs, ...value])
      return row && { record: recordOf(row), token }
    },
    save: async ({ record: { id }, token }, progress, holdUntilMs) => {
      const sql = `
        UPDATE saga SET state = $3, done = $4, results = $5, failures = $6, error = $7, due_ms = $8,
          held_until_ms = $9, token = CASE WHEN $9 = 0::bigint THEN '' ELSE token END
        WHERE id = $1 AND token = $2 RETURNING id`
      const rows = await query(sql, [id, token, ...valuesOf(progress), holdUntilMs ?? 0])
      return rows.length === 1
    },
    decide: async (id, state, nowMs) => {
      const sql = `
        UPDATE saga SET state = $2, failures = 0, due_ms = $3
        WHERE id = $1 AND state = 'needs-attention' RETURNING id`
      return (await query(sql, [id, state, nowMs])).length === 1
    },
    get: async (id) => {
      const [row] = await query<SagaRow>(`SELECT ${columns} FROM saga WHERE id = $1`, [id])
      return row && recordOf(row)
    },
    list: async ({ state, limit = 100 } = {}) => {
      const sql = `
        SELECT ${columns} FROM saga WHERE $1::text IS NULL OR state = $1 ORDER BY started_ms, id LIMIT $2`
      return (await query<SagaRow>(sql, [state ?? null, limit])).map(recordOf)
    },
  }
}

/** Records a saga within the caller's transaction: what it is about and the saga come true together. */
export async function recordSaga(queries: Queries, draft: SagaDraft): Promise<SagaRecord> {
  await queries.rows(
    `INSERT INTO saga (${columns}) VALUES ($1, $2, $3, $4, 'running', 0, '{}', 0, NULL, $5, $5)
     ON CONFLICT (id) DO NOTHING`,
    [draft.id, draft.saga, JSON.stringify(draft.input), draft.correlationId, draft.startedMs],
  )
  const [row] = await queries.rows<SagaRow>(`SELECT ${columns} FROM saga WHERE id = $1`, [draft.id])
  if (!row) throw new Error(`Saga ${draft.id} was deleted while it was recorded`)
  return recordOf(row)
}

function valuesOf({ state, done, results, failures, error, dueMs }: SagaProgress): readonly unknown[] {
  return [state, done, JSON.stringify(results), failures, error ? JSON.stringify(error) : null, dueMs]
}

function recordOf(row: SagaRow): SagaRecord {
  const { id, saga, input, correlation_id: correlationId, state, done, results, failures, error } = row
  return {
    id,
    saga,
    input,
    correlationId,
    state,
    done,
    results,
    failures,
    ...(error ? { error } : {}),
    dueMs: Number(row.due_ms),
    startedMs: Number(row.started_ms),
  }
}
