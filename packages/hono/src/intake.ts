import { MillraceError, type Topic } from '@millrace/event'
import type { EventLog } from '@millrace/log'
import { Hono } from 'hono'
import { z } from 'zod'
import { bearerToken } from './bearer-token.ts'
import type { KitContext, KitEnv } from './environment.ts'
import { type IntakeOutcome, takeIn } from './intake-batches.ts'
import { defaultIntakeLimits, intakeItems, type IntakeLimits, isSingle } from './intake-items.ts'
import { operation } from './open-api.ts'
import type { KitLogger } from './ports.ts'
import { queryFields } from './query-fields.ts'
import { feedQuery, topicFeed } from './topic-feed.ts'

/** What {@link intake} needs. */
export interface IntakeOptions {
  readonly topics: readonly Topic[]
  /** Give it the guarded log where topics have uniqueness constraints. */
  readonly log: Pick<EventLog, 'append' | 'read' | 'readKey' | 'tips'>
  /** Bearer tokens of producers and consumers. */
  readonly tokens: readonly string[]
  readonly logger: KitLogger
  readonly limits?: Partial<IntakeLimits>
  /** Feeds that follow at once; each holds a blocking read. Default 32. */
  readonly maxFollowers?: number
}

/**
 * Producers and consumers in any language: `POST /topics/{topic}/events` takes CloudEvents,
 * `GET /topics/{topic}/events` gives them as JSON lines or server-sent events. See docs/http.md.
 */
export function intake(options: IntakeOptions): Hono<KitEnv> {
  const topics = new Map(options.topics.map((topic) => [topic.name, topic]))
  const limits = { ...defaultIntakeLimits, ...options.limits }
  const feed = topicFeed(options)
  const topicOf = (c: KitContext): Topic => {
    const name = c.req.param('topic') ?? ''
    const topic = topics.get(name)
    if (!topic) throw new MillraceError('topic.unknown', `There is no topic "${name.slice(0, 80)}"`)
    return topic
  }
  const app = new Hono<KitEnv>()
  app.use('/topics/*', bearerToken({ tokens: options.tokens }))
  app.post('/topics/:topic/events', operation(posting), async (c) => {
    const topic = topicOf(c)
    const defaults = { correlationId: c.get('correlationId'), traceparent: c.get('traceparent') }
    const outcome = await takeIn(options.log, topic, intakeItems(c, limits), defaults)
    return answerOf(c, outcome, isSingle(c))
  })
  app.get('/topics/:topic/events', operation(getting), queryFields(feedQuery), (c) =>
    feed(c, topicOf(c), c.req.valid('query')),
  )
  return app
}

function answerOf(c: KitContext, outcome: IntakeOutcome, single: boolean): Response {
  const { lines, stopped, refusal } = outcome
  const counts = { appended: 0, duplicate: 0, refused: 0, unknown: 0 }
  for (const { status } of lines) counts[status] += 1
  const taken = counts.appended + counts.duplicate
  const report = {
    ...counts,
    results: lines,
    ...(stopped
      ? { stopped: { code: stopped.code, detail: stopped.message, retryable: stopped.retryable } }
      : {}),
  }
  if (taken === lines.length && !stopped) return c.json(report)
  if (taken > 0) return c.json(report, 207)
  if (single && refusal && !stopped) throw refusal
  const code = stopped?.code ?? 'event.invalid'
  const text = stopped?.message ?? `None of the ${lines.length} events was taken`
  const details = { ...stopped?.details, ...report, results: lines.slice(0, mostResults) }
  throw new MillraceError(code, text, { details })
}

/** Lines that a problem repeats. */
const mostResults = 1_000

const lineSchema = z.object({
  line: z.int(),
  status: z.enum(['appended', 'duplicate', 'refused', 'unknown']),
  id: z.string().optional(),
  position: z.string().optional(),
  code: z.string().optional(),
  detail: z.string().optional(),
  errors: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .readonly()
    .optional(),
})

const count = z.int()
const reportSchema = z.object({
  appended: count,
  duplicate: count,
  refused: count,
  unknown: count,
  results: z.array(lineSchema),
  stopped: z.object({ code: z.string(), detail: z.string(), retryable: z.boolean() }).optional(),
})

const posting = {
  summary: 'Appends events to a topic',
  description:
    'CloudEvents 1.0 in JSON: one, an array, or one a line (`application/x-ndjson`, read as it arrives), or one in binary mode (`ce-` headers). Lines are appended in order; one that is refused does not hold up the others. A repeated event (same source and id) answers `duplicate` with its first position.',
  tags: ['Topics'],
  secured: true,
  answers: {
    200: { description: 'All were taken', schema: reportSchema },
    207: {
      description: 'Some were taken; `results` says which, `stopped` why the rest was not read',
      schema: reportSchema,
    },
  },
  problems: [
    'event.invalid',
    'request.unauthorized',
    'topic.unknown',
    'append.claimed',
    'request.too-large',
    'append.limit',
    'request.media-type',
    'log.unavailable',
    'append.unknown',
  ],
} as const

const getting = {
  summary: 'Reads events of a topic, and follows it',
  description:
    'As JSON lines, or as server-sent events when `Accept` asks for `text/event-stream`. Every event has its `position`, and a `cursor` over all partitions to go on from with `after` (or `Last-Event-ID`).',
  tags: ['Topics'],
  secured: true,
  answers: {
    200: {
      description: 'CloudEvents, in order within each key',
      schema: z.looseObject({ position: z.string(), cursor: z.string().optional() }),
      type: 'application/x-ndjson',
    },
  },
  problems: [
    'position.invalid',
    'request.unauthorized',
    'topic.unknown',
    'log.trimmed',
    'request.limited',
    'log.unavailable',
  ],
} as const
