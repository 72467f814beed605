import type { Fence } from '@millrace/log'
import type { ChangeSource, ChangeStream, InitialSnapshot } from './change-source.ts'
import type { SnapshotChunk } from './change.ts'
import type { ChangeEvents } from './change-events.ts'
import type { ChannelLog } from './channel-line.ts'
import type { Mapping } from './mapping.ts'
import type { StatusBoard } from './pipeline-status.ts'
import type { PipelineOrders } from './pipeline-store.ts'
import { SnapshotLines } from './snapshot-lines.ts'

/** What the snapshots of a pipeline work with. */
export interface SnapshotSurroundings {
  readonly log: ChannelLog
  readonly source: ChangeSource
  readonly pipeline: string
  readonly mappings: readonly Mapping[]
  readonly fence: Fence
  readonly events: ChangeEvents
  readonly board: StatusBoard
  readonly signal: AbortSignal
  /** Most rows in a chunk. */
  readonly chunkRows: number
}

/** The snapshots that a pipeline still owes: table by table, chunk by chunk. */
export class SnapshotRuns {
  readonly #around: SnapshotSurroundings
  readonly #finished = new Map<string, number>()
  #present: SnapshotLines | undefined

  constructor(around: SnapshotSurroundings) {
    this.#around = around
  }

  /** All that is owed, out of the tables as they were when the stream was made. */
  async readInitial(initial: InitialSnapshot, orders: PipelineOrders): Promise<void> {
    const { board, chunkRows, signal } = this.#around
    for (let lines = await this.#owed(orders); lines; lines = await this.#owed(orders)) {
      board.state = 'snapshot'
      while (!lines.done) {
        signal.throwIfAborted()
        await this.#write(lines, await initial.chunk(lines.next(chunkRows)))
      }
    }
  }

  /** Asks the stream for the next chunk that is owed, unless one is under way. */
  async request(stream: ChangeStream, orders: PipelineOrders): Promise<void> {
    if (this.#present) return
    const lines = await this.#owed(orders)
    if (!lines) return
    this.#present = lines
    stream.requestChunk(lines.next(this.#around.chunkRows))
  }

  /** Takes a chunk that came in the stream, and asks for the one behind it. */
  async take(chunk: SnapshotChunk, stream: ChangeStream): Promise<void> {
    const lines = this.#present
    if (!lines) return
    await this.#write(lines, chunk)
    if (lines.done) this.#present = undefined
    else stream.requestChunk(lines.next(this.#around.chunkRows))
  }

  async #write(lines: SnapshotLines, chunk: SnapshotChunk): Promise<void> {
    const { board, events } = this.#around
    board.events += await lines.write(chunk, events)
    board.snapshots.set(lines.table, lines.progress)
  }

  /** The first table whose snapshot is not done. */
  async #owed(orders: PipelineOrders): Promise<SnapshotLines | undefined> {
    for (const mapping of this.#around.mappings) {
      const asked = orders.snapshots[mapping.table] ?? (mapping.snapshot ? 1 : 0)
      const run = asked === 0 ? 0 : asked + orders.restarted
      if (run === 0 || this.#finished.get(mapping.table) === run) continue
      const { log, pipeline, fence, signal, source, board } = this.#around
      const estimate = await source.estimate(mapping.table)
      const lines = await SnapshotLines.open({ log, pipeline, mapping, run, fence, signal, estimate })
      board.snapshots.set(mapping.table, lines.progress)
      if (!lines.done) return lines
      this.#finished.set(mapping.table, run)
    }
    return undefined
  }
}
