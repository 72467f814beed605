/** Columns and their values, as JSON can hold them. */
export type Row = Readonly<Record<string, unknown>>

/** What was done to a row, or to a whole table (truncate). */
export type ChangeKind = 'insert' | 'update' | 'delete' | 'truncate'

/** One change of a committed transaction. */
export interface Change {
  readonly kind: ChangeKind
  /** Name of the table with its schema, such as `public.orders`. */
  readonly table: string
  /** Place within its transaction, from 0. Counts what the source tells, mapped or not, so that it never depends on mappings. */
  readonly index: number
  /** The row after an insert or update. */
  readonly row?: Row
  /** What the source tells of the row before an update or delete: at least its key, or nothing where the key stayed. */
  readonly before?: Row
  /** Columns that `row` lacks because an update left them alone and the source does not repeat them. */
  readonly unchanged?: readonly string[]
  /** Size at the source, in bytes, roughly. */
  readonly bytes: number
}

/** What a transaction says about itself: an id for everything that one request led to, and who asked. */
export interface ChangeContext {
  readonly correlationId?: string
  readonly causationId?: string
  readonly traceparent?: string
  readonly actor?: string
}

/** Changes of one transaction that follow one another. A large transaction comes in several parts. */
export interface TransactionPart {
  readonly kind: 'changes'
  /** Of the commit: later transactions have greater texts. */
  readonly position: string
  /** When it was committed: ISO 8601 in UTC. */
  readonly committedAt: string
  readonly changes: readonly Change[]
  readonly context: ChangeContext
  /** With the last part: a position behind this transaction, and not behind any later one. */
  readonly end?: string
}

/** Up to this position there is nothing more that the source would tell. */
export interface Reached {
  readonly kind: 'reached'
  readonly position: string
}

/** The primary key of a row: its columns' values as text, in the order of the key. */
export type PrimaryKey = readonly string[]

/** A row of a snapshot. */
export interface SnapshotRow {
  readonly key: PrimaryKey
  readonly row: Row
}

/** Rows of a table in the order of its primary key. In the stream it stands where they are right: see {@link ChunkRequest}. */
export interface SnapshotChunk {
  readonly kind: 'chunk'
  readonly table: string
  readonly rows: readonly SnapshotRow[]
  /** The primary key of the last row, or `upTo` where that was asked for and reached; empty when there was none. */
  readonly to: PrimaryKey
  /** Whether that is the end of the table. */
  readonly end: boolean
}

/** What a change stream tells. */
export type StreamItem = TransactionPart | Reached | SnapshotChunk

/** Which rows to read next. */
export interface ChunkRequest {
  readonly table: string
  /** Only rows behind this one. */
  readonly after?: PrimaryKey
  /** Only rows up to this one; empty: none at all. */
  readonly upTo?: PrimaryKey
  /** Most rows. */
  readonly limit: number
}
