import {
  openViewStore,
  type PoolOptions,
  type PostgresViewStore,
  type Queries,
  readMigrations,
} from '@millrace/postgres'
import { sales } from '../sales-topic.ts'
import type {
  CallTaskRow,
  LeadFilter,
  LeadRow,
  ListPart,
  SalesRows,
  TaskFilter,
  TaskState,
} from './sales-rows.ts'

/** Options of {@link openSalesView}. */
export interface SalesViewOptions extends PoolOptions {
  readonly url: string
  /** Default `leads`. */
  readonly schema?: string
}

/** Opens the view's data in PostgreSQL. Nothing is connected before the first use. */
export async function openSalesView(options: SalesViewOptions): Promise<PostgresViewStore<SalesRows>> {
  return openViewStore({
    ...options,
    schema: options.schema ?? 'leads',
    partitions: sales.partitions,
    migrations: await readMigrations(new URL('../../migrations/', import.meta.url)),
    transaction: (queries): GatheredRows => new GatheredRows(queries),
    finish: (rows) => (rows as GatheredRows).write(),
  })
}

const touchedAtOnce = 500

interface StoredLead extends Omit<LeadRow, 'lastSeq'> {
  readonly last_seq: string
}

interface StoredTask {
  readonly id: string
  readonly buyer: string
  readonly offer: string
  readonly car: string
  readonly acceptance: number
  readonly state: TaskState
  readonly opened_at: Date
  readonly changed_at: Date
}

/** The rows of one transaction: got and kept in memory, and written together at its end. */
class GatheredRows implements SalesRows {
  readonly #queries: Queries
  readonly #leads = new Map<string, LeadRow | undefined>()
  readonly #tasks = new Map<string, CallTaskRow | undefined>()
  readonly #changed = { leads: new Set<string>(), tasks: new Set<string>() }

  constructor(queries: Queries) {
    this.#queries = queries
  }

  async leadsOf(buyers: readonly string[]): Promise<readonly LeadRow[]> {
    const unknown = buyers.filter((buyer) => !this.#leads.has(buyer))
    if (unknown.length > 0) {
      const sql = 'SELECT * FROM lead WHERE buyer = ANY($1)'
      for (const buyer of unknown) this.#leads.set(buyer, undefined)
      for (const row of await this.#queries.rows<StoredLead>(sql, [unknown]))
        this.#leads.set(row.buyer, leadOf(row))
    }
    return buyers.flatMap((buyer) => this.#leads.get(buyer) ?? [])
  }

  async putLead(row: LeadRow): Promise<void> {
    this.#leads.set(row.buyer, row)
    this.#changed.leads.add(row.buyer)
  }

  async task(id: string): Promise<CallTaskRow | undefined> {
    if (!this.#tasks.has(id)) {
      const [row] = await this.#queries.rows<StoredTask>('SELECT * FROM call_task WHERE id = $1', [id])
      this.#tasks.set(id, row && taskOf(row))
    }
    return this.#tasks.get(id)
  }

  async putTask(row: CallTaskRow): Promise<void> {
    this.#tasks.set(row.id, row)
    this.#changed.tasks.add(row.id)
  }

  async touchedAfter(partition: number, seq: number): Promise<readonly string[]> {
    const sql = 'SELECT buyer FROM lead WHERE partition = $1 AND last_seq > $2 ORDER BY last_seq LIMIT $3'
    const rows = await this.#queries.rows<{ buyer: string }>(sql, [partition, seq, touchedAtOnce])
    return rows.map(({ buyer }) => buyer)
  }

  async remove(buyers: readonly string[]): Promise<void> {
    const sql = 'DELETE FROM call_task WHERE buyer = ANY($1) RETURNING id'
    for (const { id } of await this.#queries.rows<{ id: string }>(sql, [buyers])) this.#tasks.delete(id)
    await this.#queries.rows('DELETE FROM lead WHERE buyer = ANY($1)', [buyers])
    for (const buyer of buyers) this.#leads.set(buyer, undefined)
  }

  async leads({ low, high, car }: LeadFilter, { cursor = '', limit }: ListPart): Promise<readonly LeadRow[]> {
    const rows = await this.#queries.rows<StoredLead>(leadsSql, [
      cursor,
      low ?? null,
      high ?? null,
      car === undefined ? null : [car],
      limit,
    ])
    return rows.map(leadOf)
  }

  async tasks(
    { state, buyer }: TaskFilter,
    { cursor = '', limit }: ListPart,
  ): Promise<readonly CallTaskRow[]> {
    const values = [cursor, state ?? null, buyer ?? null, limit]
    return (await this.#queries.rows<StoredTask>(tasksSql, values)).map(taskOf)
  }

  /** Writes what was gathered. */
  async write(): Promise<void> {
    const leads = changedRows(this.#changed.leads, this.#leads).map(({ lastSeq, ...row }) => ({
      ...row,
      last_seq: lastSeq,
    }))
    if (leads.length > 0) await this.#queries.rows(putLeadsSql, [JSON.stringify(leads)])
    const tasks = changedRows(this.#changed.tasks, this.#tasks).map(({ openedAt, changedAt, ...row }) => ({
      ...row,
      opened_at: openedAt,
      changed_at: changedAt,
    }))
    if (tasks.length > 0) await this.#queries.rows(putTasksSql, [JSON.stringify(tasks)])
    this.#changed.leads.clear()
    this.#changed.tasks.clear()
  }
}

/** In one order everywhere: transactions that meet wait for one another, and never in a circle. */
function changedRows<Row>(changed: ReadonlySet<string>, known: ReadonlyMap<string, Row | undefined>): Row[] {
  return [...changed].toSorted().flatMap((id) => known.get(id) ?? [])
}

// Ids and names in the order of their bytes, as the cursor compares them.
const leadsSql = `
  SELECT * FROM lead WHERE buyer COLLATE "C" > $1 AND ($2::boolean IS NULL OR low = $2)
    AND ($3::boolean IS NULL OR (cardinality(high) > 0) = $3) AND ($4::text[] IS NULL OR high @> $4)
  ORDER BY buyer COLLATE "C" LIMIT $5`

const tasksSql = `
  SELECT * FROM call_task WHERE id COLLATE "C" > $1 AND ($2::text IS NULL OR state = $2)
    AND ($3::text IS NULL OR buyer = $3)
  ORDER BY id COLLATE "C" LIMIT $4`

const putLeadsSql = `
  INSERT INTO lead SELECT * FROM jsonb_populate_recordset(null::lead, $1::jsonb)
  ON CONFLICT (buyer) DO UPDATE SET low = excluded.low, high = excluded.high, open = excluded.open,
    quotes = excluded.quotes, contacted = excluded.contacted, last_seq = excluded.last_seq`

const putTasksSql = `
  INSERT INTO call_task SELECT * FROM jsonb_populate_recordset(null::call_task, $1::jsonb)
  ON CONFLICT (id) DO UPDATE SET state = excluded.state, changed_at = excluded.changed_at`

function leadOf({ last_seq: lastSeq, ...row }: StoredLead): LeadRow {
  return { ...row, lastSeq: Number(lastSeq) }
}

function taskOf({ opened_at: openedAt, changed_at: changedAt, ...row }: StoredTask): CallTaskRow {
  return { ...row, openedAt: openedAt.toISOString(), changedAt: changedAt.toISOString() }
}
