import { type Event, limits, partitionOfKey, type Topic } from '@millrace/event'
import type { Fence } from '@millrace/log'
import type { ChunkRequest, PrimaryKey, SnapshotChunk } from './change.ts'
import type { ChangeEvents } from './change-events.ts'
import { ChannelLine, type ChannelLog, type Outgoing } from './channel-line.ts'
import type { Mapping } from './mapping.ts'
import type { SnapshotProgress } from './pipeline-status.ts'

/** What stands beside the number of a snapshot's channel. */
interface SnapshotMark {
  readonly chunk: number
  /** Last key of that chunk. */
  readonly to: PrimaryKey
  /** Whether the table ends there. */
  readonly end: boolean
  /** Rows of all partitions up to there. */
  readonly rows: number
}

const most = limits.appendEvents
const nothing: SnapshotMark = { chunk: 0, to: [], end: false, rows: 0 }

/** What opening needs. */
export interface SnapshotPlace {
  readonly log: ChannelLog
  readonly pipeline: string
  readonly mapping: Mapping
  /** 1 for the first; a later run tells every row again. */
  readonly run: number
  readonly fence: Fence
  readonly signal: AbortSignal
  /** Rows that the table has, roughly. */
  readonly estimate: number
}

/**
 * One run of a table's snapshot: a channel of its own in each partition, whose mark says up to which chunk that has its
 * rows. A chunk that a crash has left in some partitions is read again within the very bounds that those have recorded.
 */
export class SnapshotLines {
  readonly #place: SnapshotPlace
  readonly #lines: readonly ChannelLine[]

  private constructor(place: SnapshotPlace, lines: readonly ChannelLine[]) {
    this.#place = place
    this.#lines = lines
  }

  static async open(place: SnapshotPlace): Promise<SnapshotLines> {
    const { log, mapping, run, fence, signal } = place
    const { topic } = mapping
    const channel = snapshotChannel(place.pipeline, mapping.table)
    const lines = await Promise.all(
      Array.from({ length: topic.partitions }, (_, partition) =>
        ChannelLine.open(log, { topic, partition, channel, incarnation: run, fence }, signal),
      ),
    )
    return new SnapshotLines(place, lines)
  }

  get table(): string {
    return this.#place.mapping.table
  }

  get done(): boolean {
    return this.#marks().every(({ end }) => end)
  }

  get progress(): SnapshotProgress {
    const { run, estimate } = this.#place
    const { rows } = least(this.#marks())
    return { table: this.table, run, rows, of: Math.max(rows, estimate), done: this.done }
  }

  /** Which rows come next. */
  next(limit: number): ChunkRequest {
    const marks = this.#marks()
    const from = least(marks)
    const after = from.chunk === 0 ? {} : { after: from.to }
    // A partition that is further has recorded how far the next chunk goes.
    const ahead = marks.find(({ chunk }) => chunk === from.chunk + 1)
    return { table: this.table, ...after, ...(ahead ? { upTo: ahead.to } : {}), limit }
  }

  /** Appends a chunk to the partitions that do not have it. */
  async write(chunk: SnapshotChunk, events: ChangeEvents): Promise<number> {
    const { mapping, run } = this.#place
    const marks = this.#marks()
    const from = least(marks)
    const ahead = marks.find(({ chunk: number }) => number === from.chunk + 1)
    const mark: SnapshotMark = ahead ?? {
      chunk: from.chunk + 1,
      to: chunk.to.length > 0 ? chunk.to : from.to,
      end: chunk.end,
      rows: from.rows + chunk.rows.length,
    }
    const now = new Date().toISOString()
    const text = JSON.stringify(mark)
    const byPartition = new Map<number, Outgoing[]>()
    for (const row of chunk.rows)
      for (const event of events.ofRow(mapping, run, row, now)) add(byPartition, mapping.topic, event, text)
    let written = 0
    await Promise.all(
      this.#lines.map(async (line) => {
        if (markOf(line).chunk !== from.chunk) return
        const mine = byPartition.get(line.place.partition) ?? []
        // More than one step only where many rows came between the bounds of a chunk that is read again.
        const before = JSON.stringify(from)
        for (let at = 0; at + most < mine.length; at += most)
          await line.send(mine.slice(at, at + most), before)
        await line.send(mine.slice(Math.max(0, Math.ceil(mine.length / most) - 1) * most), text)
        written += mine.length
      }),
    )
    return written
  }

  #marks(): readonly SnapshotMark[] {
    return this.#lines.map(markOf)
  }
}

/** The channel of a table's snapshots. */
export function snapshotChannel(pipeline: string, table: string): string {
  return `cdc/${pipeline}/snapshot/${table}`
}

function markOf(line: ChannelLine): SnapshotMark {
  return line.mark === undefined ? nothing : (JSON.parse(line.mark) as SnapshotMark)
}

function least(marks: readonly SnapshotMark[]): SnapshotMark {
  return marks.reduce((low, one) => (one.chunk < low.chunk ? one : low))
}

function add(into: Map<number, Outgoing[]>, topic: Topic, event: Event, mark: string): void {
  const partition = partitionOfKey(topic, event.subject)
  const list = into.get(partition)
  // All of one mark: a chunk is one step of a partition.
  const one = { event, mark, bytes: 0 }
  if (list) list.push(one)
  else into.set(partition, [one])
}
