import { encodeEvent, newEvent } from '@millrace/event'
import { type Processor, processor, run, type RunOptions, state } from '@millrace/processor'
import type { RedisLog } from '@millrace/redis'
import type { Redis } from 'ioredis'
import type { Work } from './measure.ts'
import { readings } from './sums.ts'

/** Events a second. */
export const steadyRate = 5_000
const events = 2 * steadyRate
const keys = 1_000

/** Latency from the append to the handler, with a state and a commit for each event. */
export async function statefulLatency(log: RedisLog, options: RunOptions): Promise<Work> {
  const timed = (arrived: (n: number) => void) =>
    processor('timed', readings, {
      state: state({ initial: () => ({ count: 0 }) }),
      handle: ({ data }, context) => {
        arrived(data.n)
        context.evolve({ count: context.state.count + 1 })
      },
    })
  return latencyOf(timed, log, options)
}

/** Latency of those numbered events that count, with a processor that says which have arrived. */
export async function latencyOf<S>(
  made: (arrived: (n: number) => void) => Processor<typeof readings, S>,
  log: RedisLog,
  options: RunOptions,
  counts: (n: number) => boolean = () => true,
): Promise<Work> {
  const arrivals = new Arrivals(Array.from({ length: events }, (_, n) => n).filter(counts).length)
  const timed = made((n) => arrivals.note(n))
  const running = await run(timed, options)
  const work = await arrivals.of((numbers) =>
    log.append(
      readings,
      numbers.map((n) => ({ events: [eventOf(n)] })),
    ),
  )
  await running.stop()
  return work
}

/** The same with the loop that one would have written, which blocks until there is something. */
export async function bareLatency(writer: Redis, reader: Redis): Promise<Work> {
  const arrivals = new Arrivals()
  await writer.xgroup('CREATE', 'bare', 'loop', '0', 'MKSTREAM')
  const loop = (async () => {
    while (!arrivals.complete) {
      const reply = (await reader.xreadgroup(
        ...(['GROUP', 'loop', 'one', 'COUNT', 500, 'BLOCK', 1_000, 'STREAMS', 'bare', '>'] as const),
      )) as [string, [string, string[]][]][] | null
      const entries = reply?.[0]?.[1] ?? []
      for (const [, fields] of entries)
        arrivals.note((JSON.parse(fields[1] ?? '') as { data: { n: number } }).data.n)
      if (entries.length > 0) await writer.xack('bare', 'loop', ...entries.map(([id]) => id))
    }
  })()
  const work = await arrivals.of((numbers) => {
    const pipeline = writer.pipeline()
    for (const n of numbers) pipeline.xadd('bare', '*', 'e', encodeEvent(readings, eventOf(n)))
    return pipeline.exec()
  })
  await loop
  return work
}

function eventOf(n: number) {
  return newEvent(readings, { type: 'Read', key: `key-${n % keys}`, data: { n, note: 'x' } })
}

/** When numbered events were sent and when they came. */
class Arrivals {
  readonly #sent: number[] = []
  readonly #latencies: number[] = []
  readonly #all = Promise.withResolvers<void>()
  readonly #expected: number

  constructor(expected = events) {
    this.#expected = expected
  }

  get complete(): boolean {
    return this.#latencies.length === this.#expected
  }

  note(n: number): void {
    const sent = this.#sent[n]
    // From before the clock started.
    if (sent === undefined) return
    this.#latencies.push(performance.now() - sent)
    if (this.complete) this.#all.resolve()
  }

  /** Sends all of them at a steady rate, by what is due each ms, and waits until they have come. */
  async of(send: (numbers: readonly number[]) => Promise<unknown>): Promise<Work> {
    const start = performance.now()
    const sends: Promise<unknown>[] = []
    while (this.#sent.length < events) {
      const now = performance.now()
      const due = Math.min(events, Math.floor(((now - start) * steadyRate) / 1_000))
      const numbers: number[] = []
      while (this.#sent.length < due) numbers.push(this.#sent.push(now) - 1)
      if (numbers.length > 0) sends.push(send(numbers))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await Promise.all([...sends, this.#all.promise])
    return { events, seconds: (performance.now() - start) / 1_000, latencies: this.#latencies }
  }
}
