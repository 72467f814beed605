import { freshId, MillraceError } from '@millrace/event'
import type { ChangeSource, ChangeStream, InitialSnapshot, Prepared, SourceLag } from '@millrace/source'
import type { Pool } from 'pg'
import { openPool } from '../pool.ts'
import { connected, queriesOn } from '../transaction.ts'
import { readChunk } from './chunk-reader.ts'
import { lsnOf, positionOf } from './lsn.ts'
import { PostgresStream } from './postgres-stream.ts'
import { bringPublication } from './publication.ts'
import { changesUrl } from './replication-url.ts'
import { ReplicationWire } from './replication-wire.ts'
import { freeSlot, lookAtSlot, type MadeSlot, makeSlot } from './slot.ts'
import { quotedTable, tableFacts, type TableFacts, type WatchedTable } from './watched-tables.ts'

/** Options of {@link createPostgresSource}. */
export interface PostgresSourceOptions {
  /** The database. Its role needs REPLICATION, and to own the tables unless `publication` names one that is there. */
  readonly url: string
  /** Publication and slot are called `millrace_<name>`, dashes as underscores. */
  readonly name: string
  readonly tables: readonly WatchedTable[]
  /** A publication that somebody else looks after. Default: one of our own, which follows `tables`. */
  readonly publication?: string
  /** Called when a connection fails. */
  readonly onError: (error: Error) => void
  /** After how long without news the server is given something to tell, in ms. Default 10,000. */
  readonly heartbeatMs?: number
  /** After how long without a word on the stream, which is asked for, the server counts as gone, in ms. Default 60,000. */
  readonly silenceMs?: number
}

/** Makes the change stream of a PostgreSQL database (14 or later, wal_level = logical); nothing is connected before its use. */
export function createPostgresSource(options: PostgresSourceOptions): ChangeSource {
  return new PostgresSource(options)
}

class PostgresSource implements ChangeSource {
  readonly #options: PostgresSourceOptions
  readonly #slot: string
  readonly #publication: string
  readonly #pool: Pool
  readonly #facts = new Map<string, Promise<TableFacts>>()
  #stream: PostgresStream | undefined

  constructor(options: PostgresSourceOptions) {
    this.#options = options
    this.#slot = `millrace_${options.name.replaceAll('-', '_')}`
    if (!/^[a-z0-9_]{1,63}$/.test(this.#slot)) throw new TypeError(`"${options.name}" is no name for a slot`)
    this.#publication = options.publication ?? this.#slot
    this.#pool = openPool(changesUrl(options.url, 'queries'), {
      onError: options.onError,
      applicationName: this.#applicationName,
      maxConnections: 3,
    })
  }

  async prepare(): Promise<Prepared> {
    const { tables, publication, url } = this.#options
    this.#facts.clear()
    for (const { table } of tables) await this.#factsOf(table)
    if (publication === undefined) await bringPublication(this.#pool, this.#publication, tables)
    const facts = await freeSlot(this.#pool, this.#slot)
    if (facts?.isLost)
      throw new MillraceError(
        'stream.slot',
        `The server has given up slot ${this.#slot}: it kept more of its log than max_slot_wal_keep_size`,
      )
    if (facts) return { position: positionOf(facts.confirmed) }
    const made = await makeSlot(url, this.#slot, this.#applicationName)
    return {
      position: positionOf(made.position),
      initial: new ExportedSnapshot(this.#pool, made, (table) => this.#factsOf(table)),
    }
  }

  async open(from: string): Promise<ChangeStream> {
    await this.#stream?.close()
    await freeSlot(this.#pool, this.#slot)
    const wire = await ReplicationWire.open({
      url: this.#options.url,
      slot: this.#slot,
      publication: this.#publication,
      from: lsnOf(from),
      applicationName: this.#applicationName,
      silenceMs: this.#options.silenceMs ?? 60_000,
    })
    this.#stream = new PostgresStream({
      wire,
      pool: this.#pool,
      facts: (table) => this.#factsOf(table),
      nonce: freshId(),
      heartbeatMs: this.#options.heartbeatMs ?? 10_000,
    })
    return this.#stream
  }

  async estimate(table: string): Promise<number> {
    const [row] = await queriesOn(this.#pool).rows<{ rows: string }>(
      'SELECT greatest(0, reltuples)::bigint::text AS rows FROM pg_class WHERE oid = to_regclass($1)',
      [quotedTable(table)],
    )
    return Number(row?.rows ?? 0)
  }

  async lag(): Promise<SourceLag | undefined> {
    const facts = await lookAtSlot(this.#pool, this.#slot)
    if (!facts) return undefined
    const { behindBytes, retainedBytes, confirmed } = facts
    return { behindBytes, retainedBytes, acknowledged: positionOf(confirmed) }
  }

  async close(): Promise<void> {
    await this.#stream?.close()
    await this.#pool.end()
  }

  get #applicationName(): string {
    return `millrace cdc ${this.#options.name}`
  }

  #factsOf(table: string): Promise<TableFacts> {
    let facts = this.#facts.get(table)
    if (!facts) {
      const watched = this.#options.tables.find((one) => one.table === table) ?? { table }
      facts = tableFacts(queriesOn(this.#pool), watched)
      facts.catch(() => this.#facts.delete(table))
      this.#facts.set(table, facts)
    }
    return facts
  }
}

/** The tables as they were when the slot was made, as long as the connection that made it lives. */
class ExportedSnapshot implements InitialSnapshot {
  readonly #pool: Pool
  readonly #made: MadeSlot
  readonly #facts: (table: string) => Promise<TableFacts>

  constructor(pool: Pool, made: MadeSlot, facts: (table: string) => Promise<TableFacts>) {
    this.#pool = pool
    this.#made = made
    this.#facts = facts
  }

  async chunk(request: Parameters<InitialSnapshot['chunk']>[0]): ReturnType<InitialSnapshot['chunk']> {
    const facts = await this.#facts(request.table)
    const client = await connected(this.#pool)
    let isBroken = true
    try {
      const queries = queriesOn(client)
      await queries.rows('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      await queries.rows(`SET TRANSACTION SNAPSHOT '${this.#made.snapshot}'`)
      const chunk = await readChunk(client, facts, request)
      await queries.rows('COMMIT')
      isBroken = false
      return chunk
    } finally {
      client.release(isBroken)
    }
  }

  close(): Promise<void> {
    return this.#made.release()
  }
}
