import { MillraceError, type Topic } from '@millrace/event'
import { type Cursors, isStreamId, type Position, type Recorded, seqOf } from '@millrace/log'
import type { Redis } from 'ioredis'
import { eventsOf } from './entry.ts'
import type { Keys } from './keys.ts'
import { ReadAhead, type StreamEntries, type StreamReply } from './read-ahead.ts'

// An entry holds up to a hundred events and 64 KiB, and XREAD counts entries. Asking for as many as the caller wants
// events would fetch a hundred times too much (and 32 MB a partition): so it is asked for what those entries held
// that came last, and again if that was too little.
const mostEntries = 128
const firstGuess = 100

/** Where a read stands in one partition. */
interface Progress {
  readonly partition: number
  readonly name: string
  cursor: string
  readonly events: Recorded[]
}

/** How much a read answers, and how. */
export interface PageBounds {
  readonly limit: number
  readonly blockMs?: number
  readonly ahead?: boolean
}

/** Reads partitions from cursors on. */
export class PartitionReader {
  readonly #keys: Keys
  /** Events an entry, as last seen, by topic. */
  readonly #perEntry = new Map<string, number>()
  readonly #ahead = new ReadAhead()

  constructor(keys: Keys) {
    this.#keys = keys
  }

  /**
   * Events after the cursors; with `blockMs` it waits for the first one. `ahead`: the caller will read on where a full
   * page ends; for one partition.
   */
  async read(
    redis: Redis,
    topic: Topic,
    after: Cursors,
    { limit, blockMs = 0, ahead = false }: PageBounds,
  ): Promise<ReadonlyMap<number, readonly Recorded[]>> {
    const all = [...after].map(([partition, cursor]): Progress => ({
      partition,
      name: this.#keys.partition(topic, partition).log,
      cursor: checked(cursor),
      events: [],
    }))
    let waitMs = blockMs
    for (let open: readonly Progress[] = all; open.length > 0; waitMs = 0)
      open =
        ahead && waitMs === 0 && all.length === 1
          ? await this.#next(redis, topic, open, limit)
          : await this.#round(redis, topic, open, limit, waitMs)
    return new Map(
      all.flatMap(({ partition, events }) => (events.length > 0 ? [[partition, events] as const] : [])),
    )
  }

  /** Reads one partition on, and asks for what comes behind before it is needed. */
  async #next(
    redis: Redis,
    topic: Topic,
    open: readonly Progress[],
    limit: number,
  ): Promise<readonly Progress[]> {
    const [progress] = open
    if (!progress) return []
    const { name, cursor } = progress
    const count = this.#count(topic, limit)
    const entries =
      (await this.#ahead.take(name, cursor, count)) ??
      ((await redis.xread('COUNT', count, 'STREAMS', name, cursor)) as StreamReply)?.[0]?.[1] ??
      []
    const full = entries.length === count
    if (full) this.#ahead.begin(redis, name, count, entries)
    const most = take(topic, progress, entries, limit)
    if (most > 0) this.#perEntry.set(topic.name, most)
    return full && progress.events.length < limit ? open : []
  }

  #count(topic: Topic, limit: number): number {
    const perEntry = this.#perEntry.get(topic.name) ?? firstGuess
    return Math.max(1, Math.min(mostEntries, Math.ceil(limit / perEntry)))
  }

  /** One XREAD; answers the partitions that want more and may have more. */
  async #round(
    redis: Redis,
    topic: Topic,
    open: readonly Progress[],
    limit: number,
    blockMs: number,
  ): Promise<Progress[]> {
    const count = this.#count(topic, limit)
    const streams = [...open.map(({ name }) => name), ...open.map(({ cursor }) => cursor)]
    const reply = (
      blockMs > 0
        ? await redis.xread('COUNT', count, 'BLOCK', blockMs, 'STREAMS', ...streams)
        : await redis.xread('COUNT', count, 'STREAMS', ...streams)
    ) as StreamReply
    let most = 0
    const more: Progress[] = []
    for (const [name, entries] of reply ?? []) {
      const progress = open.find((one) => one.name === name)
      if (!progress) continue
      most = Math.max(most, take(topic, progress, entries, limit))
      if (entries.length === count && progress.events.length < limit) more.push(progress)
    }
    if (most > 0) this.#perEntry.set(topic.name, most)
    return more
  }
}

/**
 * Takes the events of some entries, after a check that they follow what was read without a gap: XREAD skips a
 * trimmed range in silence. Answers how many events the fullest entry held.
 */
function take(topic: Topic, progress: Progress, entries: StreamEntries, limit: number): number {
  const { partition, events } = progress
  const start = seqOf(progress.cursor)
  let seq = start
  let most = 0
  for (const [id, fields] of entries) {
    if (events.length >= limit) break
    const held = eventsOf({ topic: topic.name, partition, id, body: fields[1] ?? '' })
    // The command keeps its reply for as long as it lives itself: see script.ts.
    fields.length = 0
    most = Math.max(most, held.length)
    for (const recorded of held) {
      const { position } = recorded
      // A cursor within an entry gets the whole entry again.
      if (seq === start && position.seq <= start && seqOf(id) > start) continue
      if (position.seq !== seq + 1) throw gap(topic, partition, seq, position)
      seq = position.seq
      progress.cursor = position.id
      events.push(recorded)
    }
  }
  return most
}

function gap(topic: Topic, partition: number, seq: number, found: Position): MillraceError {
  const where = `${topic.name}/${partition}`
  if (seq === 0)
    return new MillraceError(
      'log.trimmed',
      `${where} begins at ${found.seq}: what was before has been removed`,
    )
  return new MillraceError('log.gap', `${where} goes from ${seq} to ${found.seq} (${found.id})`)
}

function checked(cursor: string): string {
  if (!isStreamId(cursor)) throw new MillraceError('position.invalid', `"${cursor}" is no stream id`)
  return cursor
}
