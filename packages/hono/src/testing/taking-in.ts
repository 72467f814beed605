import { type Event, topic } from '@millrace/event'
import { createMemoryLog, type EventLog } from '@millrace/log'
import { z } from 'zod'
import { FeedCursor } from '../feed-cursor.ts'
import { httpApp } from '../http-app.ts'
import { intake, type IntakeOptions } from '../intake.ts'

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const context = { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined }

/** What events are posted to. */
export const things = topic('things', {
  partitions: 4,
  types: {
    Made: z.object({ size: z.number() }),
    Renamed: {
      version: 2,
      schema: z.object({ name: z.string() }),
      upcasters: { 1: (data) => ({ name: (data as { title: string }).title }) },
    },
  },
})

/** An app that takes events of `things` in, on a log in memory. */
export function build(options: Partial<IntakeOptions> = {}) {
  const log = createMemoryLog()
  const app = httpApp({ logger: silent, context })
  app.route('/', intake({ topics: [things], log, tokens: ['t-1'], logger: silent, ...options }))
  return { app, log }
}

type App = ReturnType<typeof build>['app']

/** An event as a caller writes it. */
export const made = (id: string, key = 'k', size: unknown = 1) => ({
  specversion: '1.0',
  id,
  source: '/test',
  type: 'Made',
  subject: key,
  data: { size },
})

/** Posts a body of a content type. */
export const post = (
  app: App,
  type: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) =>
  app.request('/topics/things/events', {
    method: 'POST',
    body,
    headers: { authorization: 'Bearer t-1', 'content-type': type, 'x-correlation-id': 'c-1', ...headers },
  })

/** Lines of JSON; texts stay as they are. */
export const lines = (...values: unknown[]) =>
  values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n')
export const ndjson = 'application/x-ndjson'

/** All events of the log, by partition. */
export async function everything(log: EventLog): Promise<Event[]> {
  const found = await log.read(things, FeedCursor.start(things).byPartition)
  return [...found.values()].flat().map(({ event }) => event)
}
