import type { Event } from '@millrace/event'
import { type Processor, run, type RunOptions } from '@millrace/processor'
import type { RedisLog } from '@millrace/redis'
import type { Work } from './measure.ts'
import { readings, results } from './sums.ts'

/** Events that a producer appends at once. */
export const appended = 100
/** Appends of a producer that are on their way at once. */
const inFlight = 4

/** Puts a backlog on the log. */
export async function fillLog(log: RedisLog, made: readonly Event[]): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (let from = next; from < made.length; from = next) {
        next = from + appended
        const units = made.slice(from, next).map((event) => ({ events: [event] }))
        await log.append(readings, units)
      }
    }),
  )
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
