import { MillraceError, type Topic } from '@millrace/event'
import { beginning, type KeyHistory, type Position, type Recorded, seqOf, type Tip } from '@millrace/log'
import type { Redis } from 'ioredis'
import { eventsOf } from './entry.ts'
import type { Keys } from './keys.ts'
import { Script } from './script.ts'

const readKeyScript = new Script('read-key.lua')
const keyPageBytes = 4 * 1024 * 1024

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
  const spoilt: Spoilt[] = []
  for (let at = 0; at < entries.length; at += 2) {
    const entry = { topic: topic.name, partition, id: entries[at] ?? '', body: entries[at + 1] ?? '' }
    try {
      for (const recorded of eventsOf(entry)) bySeq.set(recorded.position.seq, recorded)
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      spoilt.push({ seq: seqOf(entry.id), error })
    }
  }
  const ids = idText === '' ? [] : idText.split(' ')
  const events = ids.map((id, before) => {
    const recorded = bySeq.get(seqOf(id))
    if (recorded) return recorded
    throw lost(topic, partition, { id, before }, spoilt)
  })
  return { events, version }
}

/** An entry that cannot be read. */
interface Spoilt {
  /** Of its last event. */
  readonly seq: number
  readonly error: MillraceError
}

/** An event of the index is not there; `before`: how many of the page are. */
function lost(
  topic: Topic,
  partition: number,
  details: { readonly id: string; readonly before: number },
  spoilt: readonly Spoilt[],
): MillraceError {
  const { id } = details
  const cause = spoilt.find(({ seq }) => seq >= seqOf(id))?.error
  if (cause) return new MillraceError(cause.code, cause.message, { cause, details })
  return new MillraceError('log.trimmed', `Event ${id} of ${topic.name}/${partition} has been removed`, {
    details,
  })
}

/** The last event of a partition that was recorded before a time: the id of an entry is that of its last event. */
export async function tipBefore(
  redis: Redis,
  keys: Keys,
  topic: Topic,
  partition: number,
  beforeMs: number,
): Promise<Tip> {
  if (beforeMs < 1) return { partition, id: beginning, seq: 0 }
  const end = `(${Math.ceil(beforeMs)}-0`
  const [entry] = await redis.xrevrange(keys.partition(topic, partition).log, end, '-', 'COUNT', 1)
  const id = entry?.[0] ?? beginning
  return { partition, id, seq: seqOf(id) }
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
