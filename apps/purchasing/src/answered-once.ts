import { createHash } from 'node:crypto'
import { MillraceError } from '@millrace/event'
import type { Queries } from '@millrace/postgres'

/** A request that may be repeated. */
export interface Repeatable {
  /** `Idempotency-Key`; undefined: the request is judged afresh each time. */
  readonly key: string | undefined
  readonly route: string
  readonly body: unknown
}

/**
 * Acts once for an idempotency key, within the transaction of the act: a repeat gets the first answer again. What
 * fails is not kept, and judged afresh.
 *
 * @throws {MillraceError} `append.fingerprint` when the key was used with another request
 */
export async function answeredOnce<T extends object>(
  queries: Queries,
  { key, route, body }: Repeatable,
  act: () => Promise<T>,
): Promise<T> {
  if (key === undefined) return act()
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([route, body]))
    .digest('base64url')
  // Two requests with one key wait for each other.
  await queries.rows('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`answer ${key}`])
  const [kept] = await queries.rows<{ fingerprint: string; body: T }>(
    'SELECT fingerprint, body FROM answer WHERE key = $1',
    [key],
  )
  if (kept && kept.fingerprint !== fingerprint) throw new MillraceError('append.fingerprint')
  if (kept) return kept.body
  const answer = await act()
  await queries.rows('INSERT INTO answer (key, fingerprint, body) VALUES ($1, $2, $3)', [
    key,
    fingerprint,
    JSON.stringify(answer),
  ])
  return answer
}

/** Forgets answers older than `days`. */
export async function forgetAnswers(queries: Queries, days: number): Promise<void> {
  await queries.rows(`DELETE FROM answer WHERE at < now() - make_interval(days => $1)`, [days])
}
