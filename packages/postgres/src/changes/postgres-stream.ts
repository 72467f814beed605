import { MillraceError } from '@millrace/event'
import type { Change, ChangeContext, ChangeStream, ChunkRequest, StreamItem } from '@millrace/source'
import type { Pool } from 'pg'
import { queriesOn } from '../transaction.ts'
import { contextOf } from './change-context.ts'
import { ChunkWindow } from './chunk-window.ts'
import { lsnOf, lsnText, positionOf } from './lsn.ts'
import { type Message, PgoutputDecoder, type Relation, type Tuple } from './pgoutput.ts'
import type { Frame, ReplicationWire } from './replication-wire.ts'
import type { TableFacts } from './watched-tables.ts'

/** What a stream works with. */
export interface StreamSurroundings {
  readonly wire: ReplicationWire
  readonly pool: Pool
  readonly facts: (table: string) => Promise<TableFacts>
  /** Tells the watermarks of this stream from those of others. */
  readonly nonce: string
  /** How often a server is given something to tell when it has told nothing, in ms. */
  readonly heartbeatMs: number
}

/** A transaction is told in parts of so many changes, or bytes. */
const most = { changes: 500, bytes: 1024 * 1024 } as const
/** How many transactions are remembered for the windows of chunks. */
const remembered = 4_096

interface OpenTransaction {
  readonly position: string
  readonly committedAt: string
  readonly xid: number
  context: ChangeContext
  next: number
  changes: Change[]
  bytes: number
  /** Watermarks that came in it. */
  readonly watermarks: string[]
}

/** The items of an open slot. */
export class PostgresStream implements ChangeStream {
  readonly #around: StreamSurroundings
  readonly #decoder = new PgoutputDecoder()
  readonly #told: number[] = []
  #transaction: OpenTransaction | undefined
  #window: ChunkWindow | undefined
  #chunks = 0
  #reached = 0n
  #beaten = 0n
  #failure: { readonly error: unknown } | undefined
  readonly #heart: NodeJS.Timeout

  constructor(around: StreamSurroundings) {
    this.#around = around
    this.#heart = setInterval(() => void this.#beat(), around.heartbeatMs)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamItem, void> {
    try {
      for (;;) {
        const frame = await this.#around.wire.next()
        if (this.#failure) throw this.#failure.error
        if (!frame) return
        for (const item of this.#itemsOf(frame)) yield item
      }
    } finally {
      await this.close()
    }
  }

  requestChunk(request: ChunkRequest): void {
    void this.#readChunk(request).catch((error: unknown) => {
      this.#failure ??= { error }
      void this.#around.wire.close()
    })
  }

  acknowledge(upTo: string): void {
    this.#around.wire.confirm(lsnOf(upTo))
  }

  async close(): Promise<void> {
    clearInterval(this.#heart)
    await this.#around.wire.close()
  }

  #itemsOf(frame: Frame): readonly StreamItem[] {
    if (frame.kind === 'keepalive') {
      // Within a transaction it tells nothing.
      if (this.#transaction || frame.end <= this.#reached) return []
      this.#reached = frame.end
      return [{ kind: 'reached', position: positionOf(frame.end) }]
    }
    return this.#take(this.#decoder.decode(frame.bytes), frame.bytes.length)
  }

  #take(message: Message, bytes: number): readonly StreamItem[] {
    const open = this.#transaction
    switch (message.tag) {
      case 'begin': {
        const { lsn, committedAt, xid } = message
        const position = positionOf(lsn)
        this.#transaction = {
          position,
          committedAt,
          xid,
          context: {},
          next: 0,
          changes: [],
          bytes: 0,
          watermarks: [],
        }
        return []
      }
      case 'commit':
        return this.#commit(within(open), message.end)
      case 'message':
        return message.inTransaction ? this.#listen(within(open), message.prefix, message.content) : []
      case 'insert':
        return this.#add(within(open), message.relation, bytes, { kind: 'insert', ...afterOf(message.after) })
      case 'update': {
        const before = message.before ? { before: message.before.row } : {}
        return this.#add(within(open), message.relation, bytes, {
          kind: 'update',
          ...afterOf(message.after),
          ...before,
        })
      }
      case 'delete':
        return this.#add(within(open), message.relation, bytes, {
          kind: 'delete',
          before: message.before.row,
        })
      case 'truncate':
        return message.relations.flatMap((one) => this.#add(within(open), one, bytes, { kind: 'truncate' }))
      case 'other':
        return []
    }
  }

  #add(
    open: OpenTransaction,
    { table }: Relation,
    bytes: number,
    change: Omit<Change, 'table' | 'index' | 'bytes'>,
  ): readonly StreamItem[] {
    if (this.#window?.table === table) {
      const { kind, row, before } = change
      if (kind === 'truncate') this.#window.touch(open.xid, undefined)
      for (const one of [row, before]) if (one) this.#window.touch(open.xid, one)
    }
    open.changes.push({ ...change, table, index: open.next++, bytes })
    open.bytes += bytes
    return open.changes.length >= most.changes || open.bytes >= most.bytes ? [this.#part(open)] : []
  }

  /** What a transaction says about itself holds for what it does afterwards. */
  #listen(open: OpenTransaction, prefix: string, content: string): readonly StreamItem[] {
    if (prefix === 'millrace.watermark') open.watermarks.push(content)
    if (prefix !== 'millrace.correlation') return []
    const items = open.changes.length > 0 ? [this.#part(open)] : []
    open.context = { ...open.context, ...contextOf(content) }
    return items
  }

  #commit(open: OpenTransaction, end: bigint): readonly StreamItem[] {
    this.#transaction = undefined
    this.#reached = end
    this.#told.push(open.xid)
    if (this.#told.length > remembered) this.#told.splice(0, remembered / 2)
    const position = positionOf(end)
    const items: StreamItem[] =
      open.next === 0 ? [{ kind: 'reached', position }] : [{ ...this.#part(open), end: position }]
    const window = this.#window
    if (window && open.watermarks.includes(window.watermark)) {
      this.#window = undefined
      items.push(window.result())
    }
    return items
  }

  #part(open: OpenTransaction) {
    const { position, committedAt, changes, context } = open
    open.changes = []
    open.bytes = 0
    return { kind: 'changes', position, committedAt, changes, context } as const
  }

  async #readChunk(request: ChunkRequest): Promise<void> {
    const { pool, facts, nonce } = this.#around
    if (this.#window) throw new MillraceError('internal', 'A chunk is under way already')
    const table = await facts(request.table)
    const told = [...this.#told]
    this.#chunks += 1
    const window = (this.#window = new ChunkWindow(`${nonce}/${this.#chunks}`, table, request))
    await window.read(pool, () => told)
  }

  /**
   * Where nothing came for a while although the server has written, something of ours is written too: what was told with it
   * may be confirmed, and the server may forget what it has kept for us.
   */
  async #beat(): Promise<void> {
    const isQuiet = this.#reached === this.#beaten && !this.#transaction
    this.#beaten = this.#reached
    if (!isQuiet) return
    try {
      await queriesOn(this.#around.pool).rows(
        `SELECT pg_logical_emit_message(false, 'millrace.heartbeat', '')
         WHERE pg_wal_lsn_diff(pg_current_wal_lsn(), $1::pg_lsn) > 65536`,
        [lsnText(this.#reached)],
      )
    } catch {
      // The stream itself notices when the server is away.
    }
  }
}

function within(open: OpenTransaction | undefined): OpenTransaction {
  if (!open) throw new MillraceError('stream.mapping', 'The stream has a change outside of any transaction')
  return open
}

function afterOf({ row, unchanged }: Tuple) {
  return unchanged.length > 0 ? { row, unchanged } : { row }
}
