import type { Event } from '@millrace/event'
import type { AppendUnit } from '@millrace/log'
import { type Processor, run, type RunOptions } from '@millrace/processor'
import type { RedisLog } from '@millrace/redis'
import type { Work } from './measure.ts'
import { readings, results } from './sums.ts'

/** Events that a producer appends at once. */
export const appended = 100
/** Appends of a producer that are on their way at once. */
const inFlight = 4

/** Puts a backlog on the log. */
export async function fillLog(log: RedisLog, made: Iterable<Event>): Promise<void> {
  const events = made[Symbol.iterator]()
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (let units = nextOf(events); units.length > 0; units = nextOf(events))
        await log.append(readings, units)
    }),
  )
}

function nextOf(events: Iterator<Event>): AppendUnit[] {
  const units: AppendUnit[] = []
  while (units.length < appended) {
    const next = events.next()
    if (next.done) break
    units.push({ events: [next.value] })
  }
  return units
}

/** One member works off so many events. */
export async function processAll<S>(
  what: Processor<typeof readings, S>,
  options: RunOptions,
  work: {
    readonly events: number
    readonly meanwhile?: () => Promise<void>
    readonly atEnd?: () => Promise<void>
  },
): Promise<Work> {
  const { events, meanwhile, atEnd } = work
  const start = performance.now()
  const { promise, resolve } = Promise.withResolvers<void>()
  const running = await run(what, {
    ...options,
    observe: (event) => {
      if (event.kind === 'progress' && event.position.seq >= events) resolve()
      if (event.kind === 'trouble') console.error(event)
    },
  })
  await Promise.all([promise, meanwhile?.()])
  await atEnd?.()
  const seconds = (performance.now() - start) / 1_000
  await running.stop()
  return { events, seconds }
}

/** Resolves when everything that was emitted is on its topic. */
export async function arrived(log: RedisLog, events: number): Promise<void> {
  while ((await log.tips(results))[0]?.seq !== events) await new Promise((resolve) => setTimeout(resolve, 1))
}
