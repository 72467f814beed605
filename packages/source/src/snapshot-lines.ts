import { partitionOfKey } from '@millrace/event'
import type { Fence } from '@millrace/log'
import type { ChunkRequest, PrimaryKey, SnapshotChunk } from './change.ts'
import type { ChangeEvents } from './change-events.ts'
import { ChannelLine, type ChannelLog } from './channel-line.ts'
import type { Mapping } from './mapping.ts'
import type { SnapshotProgress } from './pipeline-status.ts'
import { type LinedRow, type SnapshotStep, stepsOf } from './snapshot-step.ts'

/** What stands beside the number of a snapshot's channel. */
interface SnapshotMark {
  readonly chunk: number
  /** Last key of that chunk, or further: of what is in of the next one, where that is read again. */
  readonly to: PrimaryKey
  /** Whether the table ends there. */
  readonly end: boolean
  /** Rows of all partitions up to there. */
  readonly rows: number
}

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

/** Lines that stand at one place, and where they go next. */
interface Turn {
  readonly from: SnapshotMark
  readonly lines: readonly ChannelLine[]
  /** Mark of partitions that have the next chunk already, whose bounds it records. */
  readonly ahead: SnapshotMark | undefined
}

/**
 * One run of a table's snapshot: a channel of its own in each partition, whose mark says up to which chunk that has its
 * rows. What is appended and its mark are one step, always, so that nothing is appended twice: rows that are more than one
 * append become several chunks. A chunk that a crash has left in some partitions is read again within the very bounds that
 * those have recorded. It may have more rows by then, so each of the others notes how far it has come within them.
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
    const { from, ahead } = this.#turn()
    const after = from.to.length === 0 ? {} : { after: from.to }
    return { table: this.table, ...after, ...(ahead ? { upTo: ahead.to } : {}), limit }
  }

  /** Appends the rows that `next` asked for to the partitions that do not have them. Answers how many events these were. */
  async write(chunk: SnapshotChunk, events: ChangeEvents): Promise<number> {
    const turn = this.#turn()
    const { lines, ahead } = turn
    let [{ from }, written] = [turn, 0]
    for (const step of stepsOf(this.#lined(chunk, lines, events))) {
      from = ahead ? within(from, ahead, chunk, step) : behind(from, chunk, step)
      written += await send(lines, step, from)
    }
    return written
  }

  /** Those that are furthest behind, and of them such as stand at one place. */
  #turn(): Turn {
    const marks = this.#marks()
    const from = least(marks)
    const lines = this.#lines.filter((_, at) => {
      const { chunk, to } = marks[at] ?? nothing
      return chunk === from.chunk && isSame(to, from.to)
    })
    return { from, lines, ahead: marks.find(({ chunk }) => chunk === from.chunk + 1) }
  }

  *#lined(chunk: SnapshotChunk, lines: readonly ChannelLine[], events: ChangeEvents): Generator<LinedRow> {
    const { mapping, run } = this.#place
    const now = new Date().toISOString()
    const byPartition = new Map(lines.map((line) => [line.place.partition, line]))
    for (const row of chunk.rows)
      yield {
        key: row.key,
        events: events.ofRow(mapping, run, row, now).flatMap((event) => {
          const line = byPartition.get(partitionOfKey(mapping.topic, event.subject))
          return line ? [[line, event] as const] : []
        }),
      }
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

/** The mark of a step that is a chunk by itself. */
function behind(from: SnapshotMark, chunk: SnapshotChunk, { rows, to, isLast }: SnapshotStep): SnapshotMark {
  const last = isLast && chunk.to.length > 0 ? chunk.to : to
  return {
    chunk: from.chunk + 1,
    to: last.length > 0 ? last : from.to,
    end: isLast && chunk.end,
    rows: from.rows + rows,
  }
}

/** The mark of a step of a chunk that others have: theirs, once that is reached. */
function within(
  from: SnapshotMark,
  ahead: SnapshotMark,
  chunk: SnapshotChunk,
  { to, isLast }: SnapshotStep,
): SnapshotMark {
  return isLast && isSame(chunk.to, ahead.to) ? ahead : { ...from, to: isLast ? chunk.to : to }
}

function isSame(one: PrimaryKey, other: PrimaryKey): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at])
}

/** One step of each line. All have ended with it, also where one fails: no late repeat meets what follows. */
async function send(
  lines: readonly ChannelLine[],
  { byLine }: SnapshotStep,
  upTo: SnapshotMark,
): Promise<number> {
  const mark = JSON.stringify(upTo)
  const sent = lines.map(async (line) => {
    const events = byLine.get(line) ?? []
    const outgoing = events.map((event) => ({ event, mark, bytes: 0 }))
    await line.send(outgoing, mark)
    return events.length
  })
  await Promise.allSettled(sent)
  return (await Promise.all(sent)).reduce((sum, count) => sum + count, 0)
}
