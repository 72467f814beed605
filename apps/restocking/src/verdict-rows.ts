import type { EventOf } from '@millrace/event'
import {
  openViewStore,
  type PoolOptions,
  type PostgresViewStore,
  type Queries,
  readMigrations,
  type ViewData,
} from '@millrace/postgres'
import { announce, announceAll } from './change-feed.ts'
import { suggestions } from './supply-topic.ts'
import { isAction, suggestionId, type SuggestionFacts } from './suggestion.ts'

type LineReviewed = Extract<EventOf<typeof suggestions>, { type: 'LineReviewed' }>['data']

/** What is said about a line, and by which event. */
export interface VerdictRow {
  readonly lineKey: string
  readonly said: LineReviewed
  readonly correlationId: string
  readonly eventId: string
  /** ISO 8601. */
  readonly reviewedAt: string
  readonly partition: number
  readonly lastSeq: number
}

/** Where the view's schema and the service's own one are. */
export interface SuggestionSchemas {
  readonly view: string
  readonly own: string
}

/** Opens the view of verdicts in PostgreSQL. Nothing is connected before the first use. */
export async function openVerdictView(
  options: PoolOptions & { readonly url: string; readonly schemas: SuggestionSchemas },
): Promise<PostgresViewStore<VerdictRows>> {
  return openViewStore({
    ...options,
    schema: options.schemas.view,
    partitions: suggestions.partitions,
    migrations: await readMigrations(new URL('../migrations/view/', import.meta.url)),
    transaction: (queries, of) => new VerdictRows(queries, options.schemas.own, of),
    finish: (rows) => rows.write(),
    swapped: (queries) => announceAll(queries, options.schemas.own),
  })
}

interface StoredVerdict {
  readonly line_key: string
  readonly suggestion_id: string | null
  readonly last_seq: string
  readonly said: LineReviewed
}

/** The rows of one transaction: kept in memory, and written together at its end. */
export class VerdictRows {
  readonly #queries: Queries
  readonly #own: string
  readonly #of: ViewData
  readonly #before = new Map<string, StoredVerdict>()
  readonly #next = new Map<string, VerdictRow>()
  /** Every word about a line, the last ones and those before them. */
  readonly #seen: VerdictRow[] = []
  readonly #withdrawn = new Map<string, { readonly was: SuggestionFacts; readonly by: VerdictRow }>()
  readonly #changed = new Set<string>()

  constructor(queries: Queries, own: string, of: ViewData) {
    this.#queries = queries
    this.#own = own
    this.#of = of
  }

  /** The sequence number of what is stored, by line. */
  async load(lineKeys: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const sql = `
      SELECT line_key, suggestion_id, last_seq, json_build_object(
        'order', order_id, 'line', line, 'product', product, 'productName', product_name, 'supplier', supplier,
        'quantity', quantity, 'dueOn', due_on, 'lineVersion', line_version, 'kind', kind,
        'proposedDueOn', proposed_due_on, 'numbers', numbers, 'reason', reason) AS said
      FROM verdict WHERE line_key = ANY($1)`
    const rows = await this.#queries.rows<StoredVerdict>(sql, [lineKeys])
    for (const row of rows) this.#before.set(row.line_key, row)
    return new Map(rows.map((row) => [row.line_key, Number(row.last_seq)]))
  }

  /** What is said now about a line: its suggestion stands, the one before it is withdrawn, however shortly it stood. */
  put(row: VerdictRow): void {
    const before = this.#next.get(row.lineKey) ?? this.#before.get(row.lineKey)
    const was = before && suggestionOf(before.said)
    const now = suggestionOf(row.said)
    this.#next.set(row.lineKey, row)
    this.#seen.push(row)
    if (now !== undefined) {
      this.#changed.add(now)
      this.#withdrawn.delete(now)
    }
    if (!before || was === undefined || was === now) return
    this.#changed.add(was)
    this.#withdrawn.set(was, { was: factsOf(was, before.said), by: row })
  }

  /** Lines of a partition that have changed above a sequence number; some of them. */
  async touchedAfter(partition: number, seq: number): Promise<readonly string[]> {
    const sql = 'SELECT line_key FROM verdict WHERE partition = $1 AND last_seq > $2 LIMIT 500'
    const rows = await this.#queries.rows<{ line_key: string }>(sql, [partition, seq])
    return rows.map((row) => row.line_key)
  }

  async remove(lineKeys: readonly string[]): Promise<void> {
    await this.#queries.rows('DELETE FROM verdict WHERE line_key = ANY($1)', [lineKeys])
    await this.#queries.rows('DELETE FROM withdrawn WHERE line_key = ANY($1)', [lineKeys])
    for (const key of lineKeys) this.#before.delete(key)
  }

  /** Writes what was gathered: verdicts, what is withdrawn by them, decisions that they confirm, news for pages. */
  async write(): Promise<void> {
    const rows = [...this.#next.values()].toSorted((a, b) => (a.lineKey < b.lineKey ? -1 : 1))
    if (rows.length === 0) return
    const [changed, withdrawn] = [[...this.#changed], [...this.#withdrawn.values()]]
    await this.#queries.rows(putSql, valuesOf(rows))
    await this.#queries.rows('DELETE FROM withdrawn WHERE suggestion_id = ANY($1)', [changed])
    if (withdrawn.length > 0)
      await this.#queries.rows(
        `INSERT INTO withdrawn (suggestion_id, line_key, was, reason, withdrawn_at)
         SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::text[], $5::timestamptz[])`,
        [
          withdrawn.map(({ was }) => was.id),
          withdrawn.map(({ by }) => by.lineKey),
          withdrawn.map(({ was }) => JSON.stringify(was)),
          withdrawn.map(({ by }) => by.said.reason),
          withdrawn.map(({ by }) => by.reviewedAt),
        ],
      )
    const confirmed = await this.#confirm(this.#seen)
    // Nobody sees yet what is being built. A decision that it confirms is live, though.
    await announce(this.#queries, this.#own, [...(this.#of === 'live' ? changed : []), ...confirmed])
  }

  /** The echo of a carry-out: the line has a later version than the decided one, by the same correlation id. */
  async #confirm(rows: readonly VerdictRow[]): Promise<readonly string[]> {
    const confirmed = await this.#queries.rows<{ suggestion_id: string }>(
      `UPDATE ${this.#own}.decision AS decision
       SET status = 'completed', completed_by = 'echo', ended_at = now()
       FROM unnest($1::text[], $2::text[], $3::integer[]) AS seen (line_key, correlation_id, line_version)
       WHERE decision.line_key = seen.line_key AND decision.status = 'in-progress'
         AND decision.correlation_id = seen.correlation_id AND decision.line_version < seen.line_version
       RETURNING decision.suggestion_id`,
      [
        rows.map(({ lineKey }) => lineKey),
        rows.map(({ correlationId }) => correlationId),
        rows.map(({ said }) => said.lineVersion),
      ],
    )
    return confirmed.map((row) => row.suggestion_id)
  }
}

function suggestionOf(said: LineReviewed): string | undefined {
  return isAction(said.kind) ? suggestionId(said, said.kind) : undefined
}

function factsOf(id: string, said: LineReviewed): SuggestionFacts {
  const { kind, proposedDueOn, ...rest } = said
  if (!isAction(kind)) throw new TypeError(`The line of ${id} suggests nothing`)
  return { id, ...rest, kind, ...(proposedDueOn ? { proposedDueOn } : {}) }
}

const putSql = `
  INSERT INTO verdict (line_key, order_id, line, product, product_name, supplier, quantity, due_on, line_version, kind,
    proposed_due_on, numbers, reason, suggestion_id, correlation_id, event_id, reviewed_at, partition, last_seq)
  SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::integer[],
    $8::date[], $9::integer[], $10::text[], $11::date[], $12::jsonb[], $13::text[], $14::text[], $15::text[], $16::text[],
    $17::timestamptz[], $18::integer[], $19::bigint[])
  ON CONFLICT (line_key) DO UPDATE SET
    product = excluded.product, product_name = excluded.product_name, supplier = excluded.supplier,
    quantity = excluded.quantity, due_on = excluded.due_on, line_version = excluded.line_version,
    kind = excluded.kind, proposed_due_on = excluded.proposed_due_on, numbers = excluded.numbers,
    reason = excluded.reason, suggestion_id = excluded.suggestion_id, correlation_id = excluded.correlation_id,
    event_id = excluded.event_id, reviewed_at = excluded.reviewed_at, last_seq = excluded.last_seq`

/** The columns of rows, in the order of {@link putSql}. */
function valuesOf(rows: readonly VerdictRow[]): readonly unknown[] {
  return [
    rows.map(({ lineKey }) => lineKey),
    rows.map(({ said }) => said.order),
    rows.map(({ said }) => said.line),
    rows.map(({ said }) => said.product),
    rows.map(({ said }) => said.productName),
    rows.map(({ said }) => said.supplier),
    rows.map(({ said }) => said.quantity),
    rows.map(({ said }) => said.dueOn),
    rows.map(({ said }) => said.lineVersion),
    rows.map(({ said }) => said.kind),
    rows.map(({ said }) => said.proposedDueOn ?? null),
    rows.map(({ said }) => JSON.stringify(said.numbers)),
    rows.map(({ said }) => said.reason),
    rows.map(({ said }) => suggestionOf(said) ?? null),
    rows.map(({ correlationId }) => correlationId),
    rows.map(({ eventId }) => eventId),
    rows.map(({ reviewedAt }) => reviewedAt),
    rows.map(({ partition }) => partition),
    rows.map(({ lastSeq }) => lastSeq),
  ]
}
