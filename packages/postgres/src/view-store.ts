import type { Recorded } from '@millrace/log'
import type { Building, Checkpoint, Checkpoints, Folding, Held, Moved, ViewStore } from '@millrace/view'
import type { Pool } from 'pg'
import { isMissing } from './database-failure.ts'
import { openSchemaPool } from './schema-pool.ts'
import { inTransaction } from './transaction.ts'
import { beginBuilding } from './view-building.ts'
import { transactionOf, ViewGeneration } from './view-generation.ts'
import { dropOld, makeTables, type PostgresViewOptions, ViewSchemas } from './view-schemas.ts'

/** A view in PostgreSQL. It owns its connections; `close` ends them. */
export interface PostgresViewStore<Tx> extends ViewStore<Tx> {
  close(): Promise<void>
}

/** Opens a view in PostgreSQL; nothing is connected until the first use, and nothing is there until `prepare`. */
export function openViewStore<Tx>(options: PostgresViewOptions<Tx>): PostgresViewStore<Tx> {
  if (!/^[a-z][a-z0-9_]{0,50}$/.test(options.schema))
    throw new TypeError('The schema of a view is lower case letters, digits and underscores')
  return new ViewInPostgres(options)
}

class ViewInPostgres<Tx> implements PostgresViewStore<Tx> {
  readonly #options: PostgresViewOptions<Tx>
  readonly #schemas: ViewSchemas
  readonly #pool: Pool
  readonly #live: ViewGeneration<Tx>
  readonly #listeners = new Set<(moved: Moved) => void>()

  constructor(options: PostgresViewOptions<Tx>) {
    this.#options = options
    this.#schemas = new ViewSchemas(options.schema)
    this.#pool = openSchemaPool(options.url, options.schema, options)
    const view = transactionOf(options, 'live')
    this.#live = new ViewGeneration(this.#pool, view, (queries) => this.#schemas.lock(queries, 'shared'))
  }

  async prepare(): Promise<void> {
    await dropOld(this.#pool, this.#schemas).catch(this.#options.onError)
    await inTransaction(this.#pool, async (queries) => {
      await this.#schemas.lock(queries, 'alone')
      await queries.rows(`CREATE SCHEMA IF NOT EXISTS ${this.#schemas.live}`)
    })
    await makeTables(this.#pool, this.#options)
  }

  async checkpoints(): Promise<Checkpoints> {
    return this.#healed(() => this.#live.checkpoints())
  }

  async apply(events: readonly Recorded[], view: Folding<Tx>): Promise<Checkpoint> {
    const checkpoint = await this.#healed(() => this.#live.apply(events, view))
    const partition = events[0]?.position.partition ?? 0
    this.#moved({ partition, checkpoint, applied: new Map() })
    return checkpoint
  }

  take(held: Held): Promise<Checkpoint> {
    return this.#healed(() => this.#live.take(held))
  }

  holds(held: Held): Promise<boolean> {
    return this.#healed(() => this.#live.holds(held))
  }

  async applyHeld(
    held: Held,
    events: readonly Recorded[],
    view: Folding<Tx>,
    reached?: Checkpoint,
  ): Promise<void> {
    const checkpoint = await this.#healed(() => this.#live.applyHeld(held, events, view, reached))
    const applied = new Map(events.map(({ event, position }) => [position.seq, event.subject]))
    this.#moved({ partition: held.partition, checkpoint, applied })
  }

  read<T>(query: (tx: Tx) => Promise<T>): Promise<T> {
    return this.#healed(() => this.#live.read(query))
  }

  onMoved(listener: (moved: Moved) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  build(name: string, begin: 'empty' | 'copy'): Promise<Building<Tx>> {
    return beginBuilding(this.#options, this.#schemas, name, begin)
  }

  close(): Promise<void> {
    return this.#pool.end()
  }

  #moved(moved: Moved): void {
    for (const listener of this.#listeners) listener(moved)
  }

  /** A view that somebody has deleted is made again, empty; whoever fills it sees that by its checkpoints. */
  async #healed<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act()
    } catch (error) {
      if (!isMissing(error)) throw error
      await this.prepare()
      return await act()
    }
  }
}
