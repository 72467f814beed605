import { MillraceError, systemTimers, type Timers } from '@millrace/event'
import type { Queries } from '@millrace/postgres'

/** Most changes that one page of the feed tells. */
const mostAtOnce = 500

/** Tells that suggestions have changed, in the order of commits: the row of the feed is locked to the transaction's end. */
export async function announce(queries: Queries, own: string, ids: readonly string[]): Promise<void> {
  const distinct = [...new Set(ids)]
  if (distinct.length === 0) return
  await queries.rows(
    `WITH moved AS (UPDATE ${own}.feed SET seq = seq + $2 RETURNING seq)
     INSERT INTO ${own}.change (seq, suggestion_id)
     SELECT moved.seq - $2 + place, id FROM moved, unnest($1::text[]) WITH ORDINALITY AS told (id, place)`,
    [distinct, distinct.length],
  )
}

/** Tells that any suggestion may have changed: a number without a change, which no reader gets past without reading anew. */
export async function announceAll(queries: Queries, own: string): Promise<void> {
  await queries.rows(`UPDATE ${own}.feed SET seq = seq + 1`)
}

/** Some changes of the feed. */
export interface FeedPage {
  /** Number of the last change up to which nothing is missing. */
  readonly seq: number
  /** Ids that have changed; undefined: changes are missing, and everything must be read anew. */
  readonly ids: readonly string[] | undefined
}

/** What has changed after a number. */
export async function changesAfter(queries: Queries, after: number): Promise<FeedPage> {
  // Before the changes: what is committed in between is no gap.
  const tip = await feedTip(queries)
  const sql = 'SELECT seq::float8 AS seq, suggestion_id FROM change WHERE seq > $1 ORDER BY seq LIMIT $2'
  const rows = await queries.rows<{ seq: number; suggestion_id: string }>(sql, [after, mostAtOnce])
  const reached = rows.at(-1)?.seq ?? Math.max(after, tip)
  // Some were swept since, or all were told at once, or the feed belongs to an earlier database.
  if (after > tip || reached - after > rows.length) return { seq: tip, ids: undefined }
  return { seq: reached, ids: [...new Set(rows.map((row) => row.suggestion_id))] }
}

/** Number of the last change. */
export async function feedTip(queries: Queries): Promise<number> {
  const [row] = await queries.rows<{ seq: number }>('SELECT seq::float8 AS seq FROM feed')
  return row?.seq ?? 0
}

/** Forgets all changes but the last `kept` ones. */
export async function sweepFeed(queries: Queries, kept: number): Promise<void> {
  await queries.rows('DELETE FROM change WHERE seq <= (SELECT seq FROM feed) - $1', [kept])
}

/** Options of {@link FeedWatch}. */
export interface FeedWatchOptions {
  readonly tip: () => Promise<number>
  /** How often the database is asked while somebody waits, in ms. Default 250. */
  readonly everyMs?: number
  readonly timers?: Timers
}

/** Wakes those who wait for changes, with one question to the database for all of them. */
export class FeedWatch {
  readonly #options: FeedWatchOptions
  readonly #waiting = new Set<{
    readonly after: number
    readonly wake: () => void
    readonly fail: (error: unknown) => void
  }>()
  #cancel: (() => void) | undefined
  #stopped = false

  constructor(options: FeedWatchOptions) {
    this.#options = options
  }

  /** Resolves when there is something after that number, or the signal is aborted. */
  async news(after: number, signal: AbortSignal): Promise<void> {
    if (this.#stopped || signal.aborted) return
    await new Promise<void>((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(entry)
        signal.removeEventListener('abort', entry.wake)
      }
      const entry = {
        after,
        wake: () => {
          end()
          resolve()
        },
        fail: (error: unknown) => {
          end()
          reject(error instanceof Error ? error : new MillraceError('internal', String(error)))
        },
      }
      this.#waiting.add(entry)
      signal.addEventListener('abort', entry.wake, { once: true })
      this.#look()
    })
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
    for (const entry of [...this.#waiting]) entry.wake()
  }

  #look(): void {
    if (this.#cancel || this.#stopped || this.#waiting.size === 0) return
    const { everyMs = 250, timers = systemTimers, tip } = this.#options
    this.#cancel = timers.set(everyMs, () => {
      void tip()
        .then(
          (seq) => {
            for (const entry of [...this.#waiting]) if (seq !== entry.after) entry.wake()
          },
          (error: unknown) => {
            for (const entry of [...this.#waiting]) entry.fail(error)
          },
        )
        .finally(() => {
          this.#cancel = undefined
          this.#look()
        })
    })
  }
}
