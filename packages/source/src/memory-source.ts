import { MillraceError } from '@millrace/event'
import type { ChangeSource, ChangeStream, Prepared, SourceLag } from './change-source.ts'
import type {
  Change,
  ChangeContext,
  ChunkRequest,
  Row,
  SnapshotChunk,
  StreamItem,
  TransactionPart,
} from './change.ts'

/** A change as a test states it. */
export type ChangeDraft =
  | { readonly kind: 'insert' | 'update' | 'delete'; readonly table: string; readonly row: Row }
  | { readonly kind: 'truncate'; readonly table: string }

/** A database in memory: tables whose primary key is the column `id`, and the stream of what was committed. */
export class MemoryDatabase {
  readonly tables = new Map<string, Map<string, Row>>()
  readonly transactions: TransactionPart[] = []
  /** Called after each commit. */
  readonly listeners = new Set<() => void>()
  #next = 16

  /** Position behind everything that was committed. */
  get end(): string {
    return positionOf(this.#next)
  }

  /** Commits changes as one transaction; answers its position. */
  commit(drafts: readonly ChangeDraft[], context: ChangeContext = {}): string {
    const position = positionOf(this.#next)
    this.#next += 16
    const changes = drafts.map((draft, index) => this.#apply(draft, index))
    const committedAt = new Date().toISOString()
    this.transactions.push({ kind: 'changes', position, committedAt, changes, context, end: this.end })
    for (const tell of this.listeners) tell()
    return position
  }

  #apply(draft: ChangeDraft, index: number): Change {
    const { kind, table } = draft
    let rows = this.tables.get(table)
    if (!rows) this.tables.set(table, (rows = new Map<string, Row>()))
    if (draft.kind === 'truncate') {
      rows.clear()
      return { kind, table, index, bytes: 10 }
    }
    const { row } = draft
    const key = String(row['id'])
    const before = rows.get(key)
    if (kind === 'delete') rows.delete(key)
    else rows.set(key, row)
    const old = before && kind !== 'insert' ? { before } : {}
    return { kind, table, index, bytes: 100, ...old, ...(kind === 'delete' ? {} : { row }) }
  }
}

function positionOf(number: number): string {
  return number.toString(16).padStart(16, '0')
}

/** Makes a change stream of a database in memory. Several of one database share their place, as readers of one slot do. */
export function createMemorySource(
  database: MemoryDatabase,
  slot: MemorySlot = new MemorySlot(),
): ChangeSource {
  return new InMemorySource(database, slot)
}

/** What a database keeps for one stream, whoever reads it. */
export class MemorySlot {
  acknowledged: string | undefined
  reader: InMemoryStream | undefined
}

class InMemorySource implements ChangeSource {
  readonly #database: MemoryDatabase
  readonly #slot: MemorySlot

  constructor(database: MemoryDatabase, slot: MemorySlot) {
    this.#database = database
    this.#slot = slot
  }

  async prepare(): Promise<Prepared> {
    await this.#slot.reader?.close()
    const { acknowledged } = this.#slot
    if (acknowledged !== undefined) return { position: acknowledged }
    const position = (this.#slot.acknowledged = this.#database.end)
    const then = new Map([...this.#database.tables].map(([table, rows]) => [table, new Map(rows)]))
    return {
      position,
      initial: { chunk: async (request) => chunkOf(then, request), close: async () => undefined },
    }
  }

  async open(from: string): Promise<ChangeStream> {
    const { acknowledged } = this.#slot
    if (acknowledged === undefined) throw new MillraceError('stream.slot', 'The stream was not prepared')
    await this.#slot.reader?.close()
    const stream = new InMemoryStream(this.#database, this.#slot, from < acknowledged ? acknowledged : from)
    this.#slot.reader = stream
    return stream
  }

  async estimate(table: string): Promise<number> {
    return this.#database.tables.get(table)?.size ?? 0
  }

  async lag(): Promise<SourceLag | undefined> {
    const { acknowledged } = this.#slot
    if (acknowledged === undefined) return undefined
    const behindBytes = Number.parseInt(this.#database.end, 16) - Number.parseInt(acknowledged, 16)
    return { behindBytes, retainedBytes: behindBytes, acknowledged }
  }

  async close(): Promise<void> {
    await this.#slot.reader?.close()
  }
}

class InMemoryStream implements ChangeStream {
  readonly #database: MemoryDatabase
  readonly #slot: MemorySlot
  #from: string
  #request: ChunkRequest | undefined
  #closed = false
  #wake: () => void = () => undefined

  constructor(database: MemoryDatabase, slot: MemorySlot, from: string) {
    this.#database = database
    this.#slot = slot
    this.#from = from
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamItem, void> {
    const listener = () => this.#wake()
    this.#database.listeners.add(listener)
    try {
      while (!this.#closed) {
        const news = new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        const next = this.#database.transactions.find(({ position }) => position >= this.#from)
        if (next) {
          this.#from = next.end ?? next.position
          yield next
        } else if (this.#request) {
          const request = this.#request
          this.#request = undefined
          yield chunkOf(this.#database.tables, request)
        } else await news
      }
    } finally {
      this.#database.listeners.delete(listener)
    }
  }

  requestChunk(request: ChunkRequest): void {
    this.#request = request
    this.#wake()
  }

  acknowledge(upTo: string): void {
    if (!this.#closed && upTo > (this.#slot.acknowledged ?? '')) this.#slot.acknowledged = upTo
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake()
  }
}

function chunkOf(
  tables: ReadonlyMap<string, ReadonlyMap<string, Row>>,
  { table, after, upTo, limit }: ChunkRequest,
): SnapshotChunk {
  const [from = '', to] = [after?.[0], upTo && (upTo[0] ?? '')]
  const all = [...(tables.get(table) ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const wanted = all.filter(([key]) => key > from && (to === undefined || key <= to))
  const rows = wanted.slice(0, limit).map(([key, row]) => ({ key: [key], row }))
  const isWhole = rows.length === wanted.length
  return {
    kind: 'chunk',
    table,
    rows,
    to: (isWhole ? upTo : undefined) ?? rows.at(-1)?.key ?? [],
    end: upTo === undefined && isWhole,
  }
}
