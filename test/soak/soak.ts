import { newEvent, topic } from '@millrace/event'
import type { RedisLog } from '@millrace/redis'
import { connectGroupStore, connectLog } from '@millrace/redis'
import { processor, run, state } from '@millrace/processor'
import { z } from 'zod'
import { startRedis } from '../support/redis.ts'
import { growth, type MemoryMark, MemoryWatch } from './memory-watch.ts'

/** `backlog`: few keys, a handler slower than the reader. `keys`: each event has a key of its own. */
export type SoakKind = 'backlog' | 'keys'

/** What a soak run has seen. */
export interface SoakReport {
  readonly kind: SoakKind
  readonly events: number
  readonly seconds: number
  /** Most handlers that ran at once, and how many may. */
  readonly atOnce: readonly [most: number, bound: number]
  readonly growth: number
  readonly marks: readonly MemoryMark[]
}

const partitions = 8
const batch = 500
const atOnce = 64

/** Drops go through one member; the memory of this process is marked on the way. */
export async function runSoak(
  kind: SoakKind,
  events: number,
  say: (line: string) => void,
): Promise<SoakReport> {
  const drops = topic('drops', { types: { Fell: z.object({ n: z.int() }) }, partitions })
  const server = await startRedis()
  const { url } = server
  const [log, store] = [await connectLog({ url }), await connectGroupStore({ url })]
  try {
    const keyOf = (n: number) => (kind === 'keys' ? `drop-${n}` : `drop-${n % 1_000}`)
    await fill(log, drops, { events, keyOf, say })
    const watch = new MemoryWatch(Math.ceil(events / 25))
    const done = Promise.withResolvers<void>()
    let [running, most] = [0, 0]
    const rain = processor('rain', drops, {
      state: state({ initial: () => 0 }),
      handle: async (_, context) => {
        running += 1
        most = Math.max(most, running)
        // Slow is relative: the reader could bring a hundred times as many.
        if (kind === 'backlog') await new Promise((resolve) => setTimeout(resolve, 5))
        running -= 1
        context.evolve(context.state + 1)
        const mark = watch.count()
        if (mark) say(`${mark.events} handled, heap ${megabytes(mark.heap)}, rss ${megabytes(mark.rss)}`)
        if (watch.events === events) done.resolve()
      },
    })
    const startMs = performance.now()
    const member = await run(rain, { log, store, atOnce })
    await done.promise
    const seconds = (performance.now() - startMs) / 1_000
    await member.stop()
    const bound = atOnce * partitions
    return { kind, events, seconds, atOnce: [most, bound], growth: growth(watch.marks), marks: watch.marks }
  } finally {
    await Promise.all([log.close(), store.close()])
    await server.stop()
  }
}

interface Filling {
  readonly events: number
  readonly keyOf: (n: number) => string
  readonly say: (line: string) => void
}

async function fill(log: RedisLog, drops: Parameters<typeof newEvent>[0], filling: Filling): Promise<void> {
  const { events, keyOf, say } = filling
  for (let from = 0; from < events; from += batch) {
    const units = Array.from({ length: Math.min(batch, events - from) }, (_, at) => ({
      events: [newEvent(drops, { type: 'Fell', key: keyOf(from + at), data: { n: from + at } })],
    }))
    await log.append(drops, units)
    if ((from + batch) % 100_000 === 0) say(`${from + batch} appended`)
  }
}

export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`
}
