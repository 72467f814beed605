import { consolePath, createConsole } from '@millrace-app/console'
import { connectRetryClock, openDashboardQueues } from '@millrace/bullmq'
import { newEvent, topic } from '@millrace/event'
import { type ContextStore, httpApp, serveHttp } from '@millrace/hono'
import { createMemoryLog } from '@millrace/log'
import { createMemoryGroupStore, type EngineBounds, processor, run, state } from '@millrace/processor'
import { serverOptions } from '@millrace/redis'
import { z } from 'zod'
import { startRedis } from '../support/redis.ts'

const orders = topic('orders', { types: { Placed: z.object({ n: z.int() }) }, partitions: 1 })
const secret = 'a secret of the tests'
const context: ContextStore = { run: (_ids, fn) => fn(), current: () => undefined }

function ignore(): void {
  // Nobody reads the log of a rig.
}

/** Tokens of the console under test. */
export const tokens = { operator: 'operator-token-of-the-tests', viewer: 'viewer-token-of-the-tests' }

/** A console over the queue of a processor that fails for some keys until it is mended. */
export interface ConsoleRig {
  readonly url: string
  /** Where the queues are. */
  readonly redisUrl: string
  /** What was handled, as `<key> <n>`, in order. */
  readonly handled: string[]
  /** Keys whose events fail. */
  readonly broken: Set<string>
  /** What the console has ruled, who did it, and how it ended. */
  readonly ruled: string[]
  append(...keysAndNumbers: readonly string[]): Promise<void>
  /** Resolves when it holds. */
  until(holds: () => boolean | Promise<boolean>): Promise<void>
  stop(): Promise<void>
}

/** Starts it, with a Redis of its own. */
export async function startConsoleRig(bounds: Partial<EngineBounds> = {}): Promise<ConsoleRig> {
  const redis = await startRedis()
  const log = createMemoryLog()
  const store = createMemoryGroupStore({ log })
  const handled: string[] = []
  const broken = new Set<string>()
  const ruled: string[] = []
  const bill = processor('bill', orders, {
    state: state<number>({ initial: () => 0 }),
    handle: (event, context) => {
      if (broken.has(event.subject))
        throw new Error(`No price for ${event.subject}, ask anna.berg@example.org`)
      context.evolve(context.state + event.data.n)
      handled.push(`${event.subject} ${event.data.n}`)
    },
  })
  const clock = await connectRetryClock({
    redis: serverOptions(redis.url),
    topic: 'orders',
    group: 'bill',
    secret,
  })
  const running = await run(bill, {
    ...{ log, store, retryClock: clock, attempts: 2 },
    retry: { firstMs: 20, maxMs: 50 },
    ...bounds,
  })
  const groups = [{ topic: 'orders', group: 'bill', effects: ['mail'] }]
  const dashboard = openDashboardQueues({ redis: serverOptions(redis.url), secret, groups })
  const app = httpApp({ context, logger: { debug: ignore, info: ignore, warn: ignore, error: ignore } })
  app.route(
    consolePath,
    createConsole({
      queues: dashboard.queues,
      tokens: { operator: [tokens.operator], viewer: [tokens.viewer] },
      rule: async ({ id, kind, data }, actor) => {
        const ref = dashboard.refOf(data)
        if (ref === undefined) throw new Error('A job of somebody else')
        const { partition, key, parkNo, head } = ref
        const at = { topic: orders, partition, group: 'bill' }
        const { status } = await store.rule(at, {
          id,
          kind,
          key,
          parkNo,
          seq: head,
          by: actor,
          reason: 'test',
        })
        ruled.push(`${key} ${kind} by ${actor}: ${status}`)
      },
    }),
  )
  const listener = await serveHttp(app, { host: '127.0.0.1', port: 0 })
  return {
    url: `${listener.url}${consolePath}`,
    redisUrl: redis.url,
    ...{ handled, broken, ruled },
    append: async (...all) => {
      for (const one of all) {
        const [key = '', n] = one.split(' ')
        await log.append(orders, [
          { events: [newEvent(orders, { type: 'Placed', key, data: { n: Number(n) } })] },
        ])
      }
    },
    until: async (holds) => {
      for (
        const fromMs = Date.now();
        !(await holds());
        await new Promise((resolve) => setTimeout(resolve, 20))
      )
        if (Date.now() - fromMs > 90_000)
          throw new Error(`It did not come about; handled: ${handled.join(', ')}`)
    },
    stop: async () => {
      await listener.stop()
      await running.stop()
      await clock.close()
      await dashboard.close()
      await redis.stop()
    },
  }
}
