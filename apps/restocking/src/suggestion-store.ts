import { MillraceError } from '@millrace/event'
import {
  inTransaction,
  makeSchema,
  migrate,
  openSchemaPool,
  type PoolOptions,
  postgresSagaStore,
  type Queries,
  readMigrations,
  recordSaga,
  sagaTables,
} from '@millrace/postgres'
import { announce, changesAfter, feedTip, sweepFeed } from './change-feed.ts'
import { type FoundRow, foundSql, suggestionOf } from './suggestion-rows.ts'
import type { Decider, LineVerdict, SuggestionStore } from './suggestion-port.ts'
import { factsOf, type Suggestion } from './suggestion.ts'
import type { SuggestionSchemas } from './verdict-rows.ts'

const changesKept = 20_000

type VerdictFound = Omit<LineVerdict, 'reviewedAt' | 'suggestion'> & {
  reviewedAt: Date
  suggestion: string | null
}

/** Opens the store; nothing is connected before its use. The view makes the view's tables. */
export async function openSuggestionStore(
  options: PoolOptions & { readonly url: string; readonly schemas: SuggestionSchemas },
): Promise<SuggestionStore> {
  const { view, own } = options.schemas
  const pool = openSchemaPool(options.url, own, options)
  const decisions = await readMigrations(new URL('../migrations/own/', import.meta.url))
  const found = foundSql(view)
  const within = <T>(act: (queries: Queries) => Promise<T>) => inTransaction(pool, act)
  const get = async (queries: Queries, id: string): Promise<Suggestion | undefined> => {
    const [row] = await queries.rows<FoundRow>(`${found} SELECT * FROM found WHERE id = $1`, [id])
    return row && suggestionOf(row)
  }
  /** Locks the suggestion against everybody else who decides. */
  const lock = async (queries: Queries, id: string): Promise<void> => {
    await queries.rows('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`suggestion ${id}`])
  }
  /** The suggestion, locked, if it can be decided. */
  const decidable = async (queries: Queries, id: string): Promise<Suggestion> => {
    await lock(queries, id)
    const suggestion = await get(queries, id)
    if (!suggestion) throw new MillraceError('suggestion.unknown', `There is no suggestion ${id}`)
    const { status, statusReason } = suggestion
    if (status === 'withdrawn')
      throw new MillraceError('suggestion.gone', statusReason ?? 'The suggestion was withdrawn')
    if (status !== 'open' && status !== 'snoozed')
      throw new MillraceError('suggestion.decided', `The suggestion is ${status}`, {
        details: { decided: status },
      })
    return suggestion
  }
  const decide = async (
    queries: Queries,
    suggestion: Suggestion,
    by: Decider,
    decision: { status: string; sagaId?: string; snoozedUntil?: string; ended?: boolean },
  ): Promise<void> => {
    const was = factsOf(suggestion)
    await queries.rows(
      `INSERT INTO decision (suggestion_id, line_key, line_version, was, status, actor, correlation_id,
         idempotency_key, saga_id, snoozed_until, ended_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, CASE WHEN $11 THEN now() END)
       ON CONFLICT (suggestion_id) DO UPDATE SET status = excluded.status, actor = excluded.actor,
         correlation_id = excluded.correlation_id, idempotency_key = excluded.idempotency_key,
         saga_id = excluded.saga_id, snoozed_until = excluded.snoozed_until, ended_at = excluded.ended_at,
         decided_at = now(), reason = NULL, completed_by = NULL`,
      [
        was.id,
        `${was.order}/${was.line}`,
        was.lineVersion,
        JSON.stringify(was),
        decision.status,
        by.actor,
        by.correlationId,
        by.idempotencyKey ?? null,
        decision.sagaId ?? null,
        decision.snoozedUntil ?? null,
        decision.ended ?? false,
      ],
    )
    await announce(queries, own, [was.id])
  }
  return {
    sagas: postgresSagaStore(pool),
    prepare: async () => {
      await makeSchema(pool, own)
      await migrate(pool, 'restocking', decisions)
      await migrate(pool, 'sagas', [{ version: 1, name: 'sagas', sql: sagaTables }])
    },
    list: ({ status, supplier, product, kind, after, limit }) =>
      within(async (queries) => {
        const sql = `${found} SELECT * FROM found
          WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR was->>'supplier' = $2)
            AND ($3::text IS NULL OR was->>'product' = $3) AND ($4::text IS NULL OR was->>'kind' = $4)
            AND ($5::text IS NULL OR id > $5)
          ORDER BY id LIMIT $6`
        const values = [status ?? null, supplier ?? null, product ?? null, kind ?? null, after ?? null, limit]
        return (await queries.rows<FoundRow>(sql, values)).map(suggestionOf)
      }),
    get: (id) => within((queries) => get(queries, id)),
    verdicts: (order) =>
      within(async (queries) => {
        const sql = `
          SELECT order_id AS "order", line, product, line_version AS "lineVersion", kind, numbers, reason,
            reviewed_at AS "reviewedAt", correlation_id AS "correlationId", suggestion_id AS suggestion
          FROM ${view}.verdict WHERE line_key LIKE $1 ORDER BY line`
        const prefix = `${order.replaceAll(/[\\%_]/g, String.raw`\$&`)}/%`
        const rows = await queries.rows<VerdictFound>(sql, [prefix])
        return rows.map(({ suggestion, reviewedAt, ...row }) => ({
          ...row,
          reviewedAt: reviewedAt.toISOString(),
          ...(suggestion === null ? {} : { suggestion }),
        }))
      }),
    counts: () =>
      within(async (queries) => {
        const sql = `${found} SELECT status, count(*)::int AS count FROM found GROUP BY status`
        const rows = await queries.rows<{ status: string; count: number }>(sql)
        return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
      }),
    begin: (id, by, saga) =>
      within(async (queries) => {
        // Before anything is looked at: the same click sent twice at once gets the first one's answer, not a conflict.
        await lock(queries, id)
        const [before] = await queries.rows<{ idempotency_key: string | null; saga_id: string | null }>(
          'SELECT idempotency_key, saga_id FROM decision WHERE suggestion_id = $1',
          [id],
        )
        if (
          before?.saga_id &&
          by.idempotencyKey !== undefined &&
          before.idempotency_key === by.idempotencyKey
        )
          return before.saga_id
        const suggestion = await decidable(queries, id)
        const [count] = await queries.rows<{ count: number }>(
          'SELECT count(*)::int AS count FROM saga WHERE starts_with(id, $1)',
          [`${id}#`],
        )
        const draft = saga(suggestion, String((count?.count ?? 0) + 1))
        await recordSaga(queries, draft)
        await decide(queries, suggestion, by, { status: 'in-progress', sagaId: draft.id })
        return draft.id
      }),
    complete: (id, correlationId) =>
      within(async (queries) => {
        const rows = await queries.rows(
          `UPDATE decision SET status = 'completed', completed_by = 'answer', ended_at = now()
           WHERE suggestion_id = $1 AND correlation_id = $2 AND status = 'in-progress' RETURNING suggestion_id`,
          [id, correlationId],
        )
        if (rows.length > 0) await announce(queries, own, [id])
      }),
    reconcile: () =>
      within(async (queries) => {
        const refused = await queries.rows<{ suggestion_id: string }>(
          `DELETE FROM decision USING saga
           WHERE saga.id = saga_id AND saga.state = 'undone' AND status = 'in-progress' RETURNING suggestion_id`,
        )
        const troubled = await queries.rows<{ suggestion_id: string }>(
          `UPDATE decision SET status = 'needs-attention', reason = saga.error->>'message' FROM saga
           WHERE saga.id = saga_id AND saga.state = 'needs-attention'
             AND status IN ('in-progress', 'completed') RETURNING suggestion_id`,
        )
        const mended = await queries.rows<{ suggestion_id: string }>(
          `UPDATE decision SET status = 'completed', reason = NULL FROM saga
           WHERE saga.id = saga_id AND saga.state IN ('done', 'settled', 'running')
             AND status = 'needs-attention' RETURNING suggestion_id`,
        )
        const ids = [...refused, ...troubled, ...mended].map((row) => row.suggestion_id)
        await announce(queries, own, ids)
        return ids
      }),
    dismiss: (id, by) =>
      within(async (queries) =>
        decide(queries, await decidable(queries, id), by, { status: 'dismissed', ended: true }),
      ),
    snooze: (id, until, by) =>
      within(async (queries) =>
        decide(queries, await decidable(queries, id), by, { status: 'snoozed', snoozedUntil: until }),
      ),
    reopen: (id) =>
      within(async (queries) => {
        const [row] = await queries.rows<{ status: string }>(
          'SELECT status FROM decision WHERE suggestion_id = $1 FOR UPDATE',
          [id],
        )
        if (!row) throw new MillraceError('suggestion.unknown', `Nothing is decided about ${id}`)
        if (row.status !== 'dismissed' && row.status !== 'snoozed')
          throw new MillraceError('suggestion.decided', `The suggestion is ${row.status}`, {
            details: { decided: row.status },
          })
        await queries.rows('DELETE FROM decision WHERE suggestion_id = $1', [id])
        await announce(queries, own, [id])
      }),
    sweep: (days) =>
      within(async (queries) => {
        const ended = await queries.rows(
          `WITH gone AS (
             DELETE FROM decision
             WHERE status IN ('completed', 'dismissed') AND ended_at < now() - make_interval(days => $1)
             RETURNING suggestion_id, status, ended_at
           )
           INSERT INTO handled SELECT * FROM gone ON CONFLICT DO NOTHING RETURNING suggestion_id`,
          [days],
        )
        const withdrawn = await queries.rows(
          `DELETE FROM ${view}.withdrawn WHERE withdrawn_at < now() - make_interval(days => $1) RETURNING suggestion_id`,
          [days],
        )
        await queries.rows(
          `DELETE FROM saga WHERE state IN ('done', 'undone', 'settled')
             AND started_ms < extract(epoch FROM now() - make_interval(days => $1)) * 1000
             AND NOT EXISTS (SELECT FROM decision WHERE saga_id = saga.id)`,
          [days],
        )
        await sweepFeed(queries, changesKept)
        return ended.length + withdrawn.length
      }),
    feed: (after) => within((queries) => changesAfter(queries, after)),
    feedTip: () => within(feedTip),
    productsWithLines: (after, limit) =>
      within(async (queries) => {
        const sql = `
          SELECT DISTINCT product FROM ${view}.verdict
          WHERE kind <> 'finished' AND product > $1 ORDER BY product LIMIT $2`
        return (await queries.rows<{ product: string }>(sql, [after, limit])).map(({ product }) => product)
      }),
    close: () => pool.end(),
  }
}
