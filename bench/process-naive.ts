import { encodeEvent, type Event } from '@millrace/event'
import type { Redis } from 'ioredis'
import type { Work } from './measure.ts'
import { readings } from './sums.ts'

/** Entries of one read. */
export const naiveBatch = 500

/** The stream that the loop reads: one event an entry. */
export async function fillStream(redis: Redis, made: Iterable<Event>): Promise<void> {
  let pipeline = redis.pipeline()
  for (const event of made) {
    pipeline.xadd('bench', '*', 'e', encodeEvent(readings, event))
    if (pipeline.length < 1_000) continue
    await pipeline.exec()
    pipeline = redis.pipeline()
  }
  await pipeline.exec()
  await redis.xgroup('CREATE', 'bench', 'naive', '0')
}

/** The loop that one would have written: at least once, no order by key, no state. */
export async function naiveLoop(redis: Redis, events: number): Promise<Work> {
  const start = performance.now()
  let done = 0
  let sums = 0
  while (done < events) {
    const reply = (await redis.xreadgroup(
      ...(['GROUP', 'naive', 'one', 'COUNT', naiveBatch, 'STREAMS', 'bench', '>'] as const),
    )) as [string, [string, string[]][]][]
    const entries = reply[0]?.[1] ?? []
    for (const [, fields] of entries) sums += (JSON.parse(fields[1] ?? '') as { data: { n: number } }).data.n
    await redis.xack('bench', 'naive', ...entries.map(([id]) => id))
    done += entries.length
  }
  if (sums !== (events * (events - 1)) / 2) throw new Error('The naive loop has lost something')
  return { events: done, seconds: (performance.now() - start) / 1_000 }
}
