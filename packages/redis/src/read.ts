import { MillraceError, type Topic } from '@millrace/event'
import { type Cursors, isStreamId, type KeyHistory, type Position, type Recorded, seqOf } from '@millrace/log'
import type { Redis } from 'ioredis'
import { eventsOf } from './entry.ts'
import type { Keys } from './keys.ts'
import { Script } from './script.ts'

const readKeyScript = new Script('read-key.lua')
const keyPageBytes = 4 * 1024 * 1024

type StreamReply = [key: string, entries: [id: string, fields: string[]][]][] | null

/** One XREAD over the partitions of a topic; with `blockMs` it waits for the first event. */
export async function readPartitions(
  redis: Redis,
  keys: Keys,
  topic: Topic,
  after: Cursors,
  limit: number,
  blockMs: number,
): Promise<ReadonlyMap<number, readonly Recorded[]>> {
  const partitions = [...after.keys()]
  const names = partitions.map((partition) => keys.partition(topic, partition).log)
  const cursors = partitions.map((partition) => cursorOf(after, partition))
  const answer = new Map<number, readonly Recorded[]>()
  if (partitions.length === 0) return answer
  const reply = (
    blockMs > 0
      ? await redis.xread('COUNT', limit, 'BLOCK', blockMs, 'STREAMS', ...names, ...cursors)
      : await redis.xread('COUNT', limit, 'STREAMS', ...names, ...cursors)
  ) as StreamReply
  for (const [name, entries] of reply ?? []) {
    const at = names.indexOf(name)
    const partition = partitions[at] as number
    const events = continuous(topic, partition, cursors[at] as string, entries, limit)
    if (events.length > 0) answer.set(partition, events)
  }
  return answer
}

/** Checks that what was read follows the cursor without a gap: XREAD skips a trimmed range in silence. */
function continuous(
  topic: Topic,
  partition: number,
  cursor: string,
  entries: [string, string[]][],
  limit: number,
): Recorded[] {
  const events: Recorded[] = []
  const start = seqOf(cursor)
  let seq = start
  for (const [id, fields] of entries) {
    if (events.length >= limit) break
    for (const recorded of eventsOf({ topic: topic.name, partition, id, body: fields[1] ?? '' })) {
      // A cursor within an entry gets the whole entry again.
      if (events.length === 0 && recorded.position.seq <= start && seqOf(id) > start) continue
      if (recorded.position.seq !== seq + 1) throw gap(topic, partition, seq, recorded.position)
      seq = recorded.position.seq
      events.push(recorded)
    }
  }
  return events
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

function cursorOf(after: Cursors, partition: number): string {
  const cursor = after.get(partition) ?? ''
  if (!isStreamId(cursor)) throw new MillraceError('position.invalid', `"${cursor}" is no stream id`)
  return cursor
}

/** Events of one key, found through its index. */
export async function readKey(
  redis: Redis,
  keys: Keys,
  topic: Topic,
  partition: number,
  key: string,
  afterVersion: number,
  limit: number,
): Promise<KeyHistory> {
  const names = [keys.partition(topic, partition).log, keys.keyIndex(topic, partition, key)]
  const [version, idText, entries] = (await readKeyScript.run(redis, names, [
    afterVersion,
    limit,
    keyPageBytes,
  ])) as [number, string, string[]]
  const bySeq = new Map<number, Recorded>()
  for (let at = 0; at < entries.length; at += 2)
    for (const recorded of eventsOf({
      topic: topic.name,
      partition,
      id: entries[at] ?? '',
      body: entries[at + 1] ?? '',
    }))
      bySeq.set(recorded.position.seq, recorded)
  const events = idText === '' ? [] : idText.split(' ').map((id) => held(bySeq, topic, partition, id))
  return { events, version }
}

function held(bySeq: ReadonlyMap<number, Recorded>, topic: Topic, partition: number, id: string): Recorded {
  const recorded = bySeq.get(seqOf(id))
  if (!recorded)
    throw new MillraceError('log.trimmed', `Event ${id} of ${topic.name}/${partition} has been removed`)
  return recorded
}

/** The event at a position: the first entry from there on holds it, if any does. */
export async function readAt(
  redis: Redis,
  keys: Keys,
  topic: Topic,
  position: Position,
): Promise<Recorded | undefined> {
  const name = keys.partition(topic, position.partition).log
  const found = (await redis.xrange(name, position.id, '+', 'COUNT', 1)) as [string, string[]][]
  const entry = found[0]
  if (!entry) return undefined
  const events = eventsOf({
    topic: topic.name,
    partition: position.partition,
    id: entry[0],
    body: entry[1][1] ?? '',
  })
  return events.find((recorded) => recorded.position.id === position.id)
}
