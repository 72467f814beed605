import type { ChunkRequest, SnapshotChunk } from '@millrace/source'
import type { Pool } from 'pg'
import { connected, queriesOn } from '../transaction.ts'
import { readChunk } from './chunk-reader.ts'
import type { TableFacts } from './watched-tables.ts'

/** Which transactions a database snapshot sees, by their number's lower 32 bits as the stream tells it. */
export class SeenTransactions {
  readonly #xmin: bigint
  readonly #xmax: bigint
  readonly #running: ReadonlySet<bigint>

  /** @param text What pg_current_snapshot() answers: `xmin:xmax:running,…`. */
  constructor(text: string) {
    const [xmin = '0', xmax = '0', running = ''] = text.split(':')
    this.#xmin = BigInt(xmin)
    this.#xmax = BigInt(xmax)
    this.#running = new Set(running === '' ? [] : running.split(',').map(BigInt))
  }

  has(xid: number): boolean {
    // The stream tells 32 bits of 64; the transaction is a recent one.
    let full = (this.#xmax & ~0xffff_ffffn) | BigInt(xid)
    if (full > this.#xmax + 0x8000_0000n) full -= 1n << 32n
    return full < this.#xmin || (full < this.#xmax && !this.#running.has(full))
  }
}

interface Touched {
  readonly xid: number
  /** Undefined: the whole table. */
  readonly key: string | undefined
}

/**
 * One chunk that is read while the stream runs. A row of it is right at the place of the watermark, which is written after
 * the reading, unless a transaction that the reading did not see is in the stream before that: then the stream has told of
 * the row, and wins. Which transactions the reading saw is asked of the database itself. (Between two watermarks, as others
 * do it, a transaction may lie that was logged before the first and became visible after the reading: its row would be told
 * by the stream, and then once more as it was before.)
 */
export class ChunkWindow {
  readonly watermark: string
  readonly #facts: TableFacts
  readonly #request: ChunkRequest
  /** What was told while the rows were being read. */
  #touched: Touched[] = []
  /** Keys of the chunk that the stream has told of since, newer than they were read. */
  readonly #stale = new Set<string>()
  #isAllStale = false
  #keys: ReadonlySet<string> | undefined
  #chunk: SnapshotChunk | undefined
  #seen: SeenTransactions | undefined

  constructor(watermark: string, facts: TableFacts, request: ChunkRequest) {
    this.watermark = watermark
    this.#facts = facts
    this.#request = request
  }

  get table(): string {
    return this.#request.table
  }

  /** The stream has told of a row of this table; `row` undefined: of all. */
  touch(xid: number, row: Readonly<Record<string, unknown>> | undefined): void {
    const key = row && this.#keyOf(row)
    if (this.#seen) this.#note({ xid, key }, this.#seen)
    else this.#touched.push({ xid, key })
  }

  #note({ xid, key }: Touched, seen: SeenTransactions): void {
    if (seen.has(xid)) return
    if (key === undefined) this.#isAllStale = true
    else if (this.#keys?.has(key)) this.#stale.add(key)
  }

  /**
   * Reads the rows and writes the watermark.
   *
   * @param told Transactions that the stream told shortly before the window was opened: each must be seen.
   */
  async read(pool: Pool, told: () => Iterable<number>): Promise<void> {
    for (;;) {
      const { chunk, seen } = await this.#readOnce(pool)
      // In the log already, and not yet visible: its server process is about to end it.
      if ([...told()].every((xid) => seen.has(xid))) {
        this.#chunk = chunk
        this.#seen = seen
        this.#keys = new Set(chunk.rows.map(({ row }) => this.#keyOf(row)))
        for (const one of this.#touched) this.#note(one, seen)
        this.#touched = []
        break
      }
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await queriesOn(pool).rows(`SELECT pg_logical_emit_message(true, 'millrace.watermark', $1)`, [
      this.watermark,
    ])
  }

  /** What is right at the place of the watermark. */
  result(): SnapshotChunk {
    const chunk = this.#chunk
    if (!chunk) throw new Error('The watermark came before the rows were read')
    if (this.#isAllStale) return { ...chunk, rows: [] }
    return { ...chunk, rows: chunk.rows.filter(({ row }) => !this.#stale.has(this.#keyOf(row))) }
  }

  async #readOnce(pool: Pool): Promise<{ readonly chunk: SnapshotChunk; readonly seen: SeenTransactions }> {
    const client = await connected(pool)
    let isBroken = true
    try {
      const queries = queriesOn(client)
      await queries.rows('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      const [row] = await queries.rows<{ seen: string }>('SELECT pg_current_snapshot()::text AS seen')
      const chunk = await readChunk(client, this.#facts, this.#request)
      await queries.rows('COMMIT')
      isBroken = false
      return { chunk, seen: new SeenTransactions(row?.seen ?? '') }
    } finally {
      client.release(isBroken)
    }
  }

  #keyOf(row: Readonly<Record<string, unknown>>): string {
    return JSON.stringify(this.#facts.key.map(({ name }) => row[name] ?? null))
  }
}
