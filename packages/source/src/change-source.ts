import type { ChunkRequest, SnapshotChunk, StreamItem } from './change.ts'

/**
 * A database's stream of committed changes: in commit order, each transaction whole and in its own order, nothing that
 * was rolled back.
 *
 * A position is a text that the source makes and nobody else reads. Positions order as their texts do (by UTF-16 units):
 * PostgreSQL's LSN as 16 hexadecimal digits, MongoDB's resume token with a sign behind it for "after this one".
 */
export interface ChangeSource {
  /**
   * Makes what the stream needs at the source, and says from where on it holds everything. Whoever held the stream
   * before is cut off. May be repeated.
   *
   * @throws MillraceError `stream.slot`: what the stream needs is gone, and with it changes; `service.unavailable`
   */
  prepare(): Promise<Prepared>

  /** Everything that was committed at or behind a position. One at a time. @throws MillraceError as `prepare` */
  open(from: string): Promise<ChangeStream>

  /** About how many rows a table has; for progress. */
  estimate(table: string): Promise<number>

  /** How far the stream is behind, whoever holds it; undefined before it was prepared. */
  lag(): Promise<SourceLag | undefined>

  close(): Promise<void>
}

/** What {@link ChangeSource.prepare} has found or made. */
export interface Prepared {
  /** Transactions from here on are in the stream; everything before may be forgotten. */
  readonly position: string
  /** Set when the stream has just been made: the tables as they were exactly then. */
  readonly initial?: InitialSnapshot
}

/** The tables as they were when the stream was made: what is not in here comes in the stream. */
export interface InitialSnapshot {
  chunk(request: ChunkRequest): Promise<SnapshotChunk>
  close(): Promise<void>
}

/** An open stream. Iterating ends after `close`, and throws when the source fails. Reading slower slows the source down. */
export interface ChangeStream extends AsyncIterable<StreamItem> {
  /**
   * Asks for rows of a table. They come as an item of the stream, in a place where each is right: what the stream has
   * told before is in them, or has replaced them, and what it tells behind is newer. One at a time.
   */
  requestChunk(request: ChunkRequest): void

  /** Everything before this position is on the log: the source may forget it. */
  acknowledge(upTo: string): void

  close(): Promise<void>
}

/** How far a stream is behind its source, in bytes of the source's own log. */
export interface SourceLag {
  /** From what was acknowledged last to the present end. */
  readonly behindBytes: number
  /** What the source keeps for this stream's sake. */
  readonly retainedBytes: number
  /** Position of what was acknowledged last. */
  readonly acknowledged: string
}
