import { MillraceError, type Topic } from '@millrace/event'
import type { Fence } from '@millrace/log'
import type { ChangeStream } from './change-source.ts'
import type { StreamItem, TransactionPart } from './change.ts'
import { ChangeEvents } from './change-events.ts'
import { ChannelLine, type LinePlace } from './channel-line.ts'
import type { Mapping } from './mapping.ts'
import type { PipelineOptions } from './pipeline-options.ts'
import type { StatusBoard } from './pipeline-status.ts'
import type { PipelineOrders } from './pipeline-store.ts'
import { compareMarks, parseMark, type ResumeMark } from './resume-mark.ts'
import { SnapshotRuns } from './snapshot-runs.ts'
import { StreamWriter } from './stream-writer.ts'

/** What one session works with. */
export interface SessionSurroundings {
  readonly options: PipelineOptions
  readonly fence: Fence
  readonly board: StatusBoard
  /** Ends it: the lease is lost, the pipeline is paused or stopped. */
  readonly signal: AbortSignal
  readonly orders: () => PipelineOrders
}

/**
 * One reading of the stream, from what the log has: fence, marks, the source, then item by item. Runs until the signal is
 * aborted, and throws for whatever else ends it.
 */
export async function runSession(around: SessionSurroundings): Promise<void> {
  const { options, fence, board, signal } = around
  const { log, source, pipeline } = options
  board.state = 'opening'
  const incarnation = 1 + around.orders().restarted
  const lines = await openLines(options, fence, incarnation, signal)
  const prepared = await source.prepare()
  try {
    const start = startOf(lines, prepared.position, pipeline)
    for (const line of lines) if (line.mark === undefined) await line.send([], `${prepared.position}/0`)
    const events = new ChangeEvents(pipeline)
    const { mappings, chunkRows = 500 } = options
    const snapshots = new SnapshotRuns({
      log,
      source,
      pipeline,
      mappings,
      fence,
      events,
      board,
      signal,
      chunkRows,
    })
    if (prepared.initial) await snapshots.readInitial(prepared.initial, around.orders())
    signal.throwIfAborted()
    const stream = await source.open(start.position)
    await new Reading(around, stream, lines, start, events, snapshots).run()
  } finally {
    await prepared.initial?.close()
  }
}

/** The channel of a pipeline's stream. */
export function streamChannel(pipeline: string): string {
  return `cdc/${pipeline}`
}

/** Lines to all partitions, behind the fence. */
async function openLines(
  { log, mappings, pipeline }: PipelineOptions,
  fence: Fence,
  incarnation: number,
  signal: AbortSignal,
): Promise<readonly ChannelLine[]> {
  const channel = streamChannel(pipeline)
  const topics = new Map<string, Topic>(mappings.map(({ topic }) => [topic.name, topic]))
  const places = [...topics.values()].flatMap((topic) =>
    Array.from({ length: topic.partitions }, (_, partition): LinePlace => {
      return { topic, partition, channel, incarnation, fence }
    }),
  )
  return Promise.all(
    places.map(async (place) => {
      const set = await log.fence(place.topic, place.partition, fence)
      if (set.status === 'refused')
        throw new MillraceError('append.channel-fenced', undefined, { details: { token: set.token } })
      return ChannelLine.open(log, place, signal)
    }),
  )
}

/** Where the stream is to be read from: where the partition stands that is furthest behind. */
function startOf(lines: readonly ChannelLine[], kept: string, pipeline: string): ResumeMark {
  const marks = lines.map(({ mark }) => (mark === undefined ? { position: kept, index: 0 } : parseMark(mark)))
  const start = marks.reduce((low, one) => (compareMarks(one, low) < 0 ? one : low))
  if (start.position < kept)
    throw new MillraceError(
      'stream.behind',
      `The log has pipeline ${pipeline} up to ${start.position}, but its source has forgotten everything before ${kept}`,
    )
  return start
}

/** The open stream on its way to the lines. */
class Reading {
  readonly #around: SessionSurroundings
  readonly #stream: ChangeStream
  readonly #writer: StreamWriter
  readonly #events: ChangeEvents
  readonly #snapshots: SnapshotRuns
  readonly #mappings: ReadonlyMap<string, Mapping>
  readonly #settled: { readonly position: string; readonly atMs: number }[] = []
  /** Events of the writer that the board has counted; snapshots are counted there by themselves. */
  #counted = 0
  #failure: { readonly error: unknown } | undefined

  constructor(
    around: SessionSurroundings,
    stream: ChangeStream,
    lines: readonly ChannelLine[],
    start: ResumeMark,
    events: ChangeEvents,
    snapshots: SnapshotRuns,
  ) {
    this.#around = around
    this.#stream = stream
    this.#events = events
    this.#snapshots = snapshots
    this.#mappings = new Map(around.options.mappings.map((mapping) => [mapping.table, mapping]))
    this.#writer = new StreamWriter(lines, start, (error) => this.#fail(error))
  }

  async run(): Promise<void> {
    const { signal, board, options } = this.#around
    const end = () => this.#fail(signal.reason)
    const timer = setInterval(() => void this.#tick(), options.settleMs ?? 500)
    signal.addEventListener('abort', end)
    try {
      if (signal.aborted) return
      board.state = 'streaming'
      board.error = undefined
      for await (const item of this.#stream) {
        await this.#take(item)
        if (this.#failure) break
      }
      if (!this.#failure) throw new MillraceError('service.unavailable', 'The source has ended the stream')
      if (!signal.aborted) throw this.#failure.error
    } finally {
      clearInterval(timer)
      signal.removeEventListener('abort', end)
      await this.#ticking
      await this.#stream.close()
      await this.#writer.end()
    }
  }

  async #take(item: StreamItem): Promise<void> {
    switch (item.kind) {
      case 'changes':
        return this.#collect(item)
      case 'reached':
        return this.#writer.reach({ position: item.position, index: 0 })
      case 'chunk':
        // Behind all that the stream has told before, and before all that it tells next.
        await this.#writer.drain()
        return this.#snapshots.take(item, this.#stream)
    }
  }

  #collect(part: TransactionPart): Promise<void> | undefined {
    const { board } = this.#around
    for (const change of part.changes) {
      const mapping = this.#mappings.get(change.table)
      board.changes += 1
      if (!mapping) continue
      const mark = { position: part.position, index: change.index + 1 }
      try {
        this.#writer.add(mapping.topic, this.#events.ofChange(mapping, change, part), mark, change.bytes)
      } catch (error) {
        return this.#stopBefore({ position: part.position, index: change.index }, error)
      }
    }
    if (part.end !== undefined) board.transactions += 1
    board.committedAt = part.committedAt
    const last = part.changes.at(-1)
    const index = last === undefined ? 0 : last.index + 1
    return this.#writer.reach(
      part.end === undefined ? { position: part.position, index } : { position: part.end, index: 0 },
    )
  }

  /** What comes before a change that cannot be mapped is not held up by it. */
  async #stopBefore(mark: ResumeMark, error: unknown): Promise<void> {
    await this.#writer.reach(mark)
    await this.#writer.drain()
    throw error
  }

  #ticking: Promise<void> = Promise.resolve()
  #isTicking = false

  /** From time to time: lines without news follow, the source may forget, snapshots that were ordered begin. */
  async #tick(): Promise<void> {
    if (this.#isTicking || this.#failure) return
    this.#isTicking = true
    this.#ticking = this.#settle()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#isTicking = false
      })
    await this.#ticking
  }

  async #settle(): Promise<void> {
    const { board, options, orders } = this.#around
    const { position } = await this.#writer.settle()
    const now = performance.now()
    board.position = position
    board.events += this.#writer.written - this.#counted
    this.#counted = this.#writer.written
    if (this.#settled.at(-1)?.position !== position) this.#settled.push({ position, atMs: now })
    const delayMs = options.acknowledgeDelayMs ?? 2_000
    let upTo: string | undefined
    while (this.#settled[0] && this.#settled[0].atMs + delayMs <= now) upTo = this.#settled.shift()?.position
    if (upTo !== undefined) this.#stream.acknowledge(upTo)
    await this.#snapshots.request(this.#stream, orders())
  }

  #fail(error: unknown): void {
    if (this.#failure) return
    this.#failure = { error }
    void this.#stream.close().catch(() => undefined)
  }
}
