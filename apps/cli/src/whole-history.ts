import { MillraceError, type Topic } from '@millrace/event'
import { beginning, type EventLog, type Recorded, recordedMsOf, type Tip } from '@millrace/log'

/** Options of {@link wholeHistory}. */
export interface HistoryOptions {
  readonly signal?: AbortSignal
  /** Called after each page. */
  readonly onProgress?: (read: number, total: number) => void
}

const pageEvents = 500

/** One partition on its way to where it ended when the reading began. */
interface Line {
  readonly tip: Tip
  cursor: string
  page: readonly Recorded[]
  at: number
}

/**
 * Every event of a topic that is on the log now, in the order in which the log took them; within one millisecond by
 * partition. The order of each key is exact. A page of each partition is in memory, however long the history is.
 *
 * @throws MillraceError those of reading the log; the reason of `signal`
 */
export async function* wholeHistory(
  log: Pick<EventLog, 'read' | 'tips'>,
  topic: Topic,
  options: HistoryOptions = {},
): AsyncGenerator<Recorded> {
  const tips = (await log.tips(topic)).filter(({ seq }) => seq > 0)
  const total = tips.reduce((sum, { seq }) => sum + seq, 0)
  let lines = tips.map((tip): Line => ({ tip, cursor: beginning, page: [], at: 0 }))
  let read = 0
  for (;;) {
    if (lines.some(isEmpty)) {
      options.signal?.throwIfAborted()
      options.onProgress?.(read, total)
      await fill(log, topic, lines)
      lines = lines.filter((line) => !isEmpty(line))
    }
    const next = oldest(lines)
    if (!next) return
    next.at += 1
    read += 1
    const recorded = next.page[next.at - 1]
    if (recorded) yield recorded
  }
}

function isEmpty({ page, at }: Line): boolean {
  return at >= page.length
}

async function fill(log: Pick<EventLog, 'read'>, topic: Topic, lines: readonly Line[]): Promise<void> {
  const hungry = lines.filter((line) => isEmpty(line) && line.cursor !== line.tip.id)
  if (hungry.length === 0) return
  const cursors = new Map(hungry.map(({ tip, cursor }) => [tip.partition, cursor]))
  const pages = await log.read(topic, cursors, { limit: pageEvents })
  for (const line of hungry) {
    const page = pages.get(line.tip.partition) ?? []
    line.page = page.filter(({ position }) => position.seq <= line.tip.seq)
    line.at = 0
    const last = line.page.at(-1)
    if (!last)
      throw new MillraceError('log.gap', `${topic.name}/${line.tip.partition} ends before ${line.tip.id}`)
    line.cursor = last.position.id
  }
}

function oldest(lines: readonly Line[]): Line | undefined {
  let found: Line | undefined
  let foundMs = Number.POSITIVE_INFINITY
  for (const line of lines) {
    const ms = recordedMsOf(line.page[line.at]?.position.id ?? beginning)
    if (ms < foundMs) [found, foundMs] = [line, ms]
  }
  return found
}
