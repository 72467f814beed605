import { type Event, MillraceError, type Topic, upcast, versionOf } from '@millrace/event'
import { type EventLog, formatPosition, type Recorded } from '@millrace/log'
import { z } from 'zod'
import { cloudEventOf } from './cloud-event.ts'
import type { KitContext } from './environment.ts'
import { keySteps, type Step, topicSteps } from './feed-steps.ts'
import { jsonLines } from './json-lines.ts'
import type { KitLogger } from './ports.ts'
import { serverSentEvents } from './server-sent-events.ts'
import { tracedFeed } from './traced-feed.ts'

/** What may stand in the query of a feed. */
export const feedQuery = z.object({
  after: z
    .string()
    .max(32_768)
    .optional()
    .describe(
      'A `cursor` of an earlier answer; `latest` begins with what comes next. Default: the beginning.',
    ),
  key: z.string().min(1).max(512).optional().describe('Only the events of this key.'),
  limit: z.coerce
    .number('must be a number')
    .int('must be a whole number')
    .min(1, 'must be at least 1')
    .optional()
    .describe('End after this many. Default: 1,000; none when following.'),
  follow: z
    .enum(['true', 'false', '1', '0', ''], { error: 'must be true or false' })
    .optional()
    .describe('Go on with new events as they come. Server-sent events always do.'),
})

/** The query of a feed. */
export type FeedQuery = z.output<typeof feedQuery>

/** What a feed needs. */
export interface TopicFeedOptions {
  readonly log: Pick<EventLog, 'read' | 'readKey' | 'tips'>
  readonly logger: KitLogger
  readonly maxFollowers?: number
}

/** Makes the handler that gives the events of a topic. */
export function topicFeed(
  options: TopicFeedOptions,
): (c: KitContext, topic: Topic, query: FeedQuery) => Promise<Response> {
  const most = options.maxFollowers ?? 32
  let followers = 0
  return async (c, topic, query) => {
    const sse = (c.req.header('accept') ?? '').includes('text/event-stream')
    const follow = sse || ['true', '1', ''].includes(query.follow ?? 'false')
    const after = (sse ? c.req.header('last-event-id') : undefined) ?? query.after
    if (follow && followers >= most)
      throw new MillraceError('request.limited', `${most} feeds follow already`, {
        details: { retryAfterSeconds: 5 },
      })
    const place = { log: options.log, topic, after: after === '' ? undefined : after }
    const steps = query.key === undefined ? topicSteps(place) : keySteps({ ...place, key: query.key })
    // Asked before the answer begins, so that what is wrong from the start gets a status of its own.
    const first = await steps(0, undefined)
    const limit = query.limit ?? (follow ? Infinity : 1_000)
    const source = async function* (signal: AbortSignal): AsyncGenerator<FedEvent> {
      if (follow) followers += 1
      const traced = tracedFeed(c, topic.name)
      try {
        for await (const event of fed(topic, first, steps, { follow, limit, signal })) {
          traced.events += 1
          yield event
        }
      } finally {
        traced.end()
        if (follow) followers -= 1
      }
    }
    const onError = (err: unknown): void =>
      options.logger.warn('A feed broke off', { topic: topic.name, err })
    return sse
      ? asServerSentEvents(c, source, onError)
      : jsonLines(c, source, { onError, ...(follow ? { blankAfterMs: 15_000 } : {}) })
  }
}

type FedEvent = Readonly<Record<string, unknown>> & { readonly cursor?: string }

interface FeedBounds {
  readonly follow: boolean
  readonly limit: number
  readonly signal: AbortSignal
}

// How long one blocking read of the log waits.
const waitMs = 10_000

async function* fed(
  topic: Topic,
  first: Step,
  steps: (waitMs: number, signal: AbortSignal | undefined) => Promise<Step>,
  bounds: FeedBounds,
): AsyncGenerator<FedEvent> {
  let left = bounds.limit
  for (let step = first; ; step = await steps(bounds.follow ? waitMs : 0, bounds.signal)) {
    for (const { recorded, pass } of step) {
      if (left <= 0 || bounds.signal.aborted) return
      left -= 1
      yield asFed(topic, recorded, pass(left === 0))
    }
    if (left <= 0 || bounds.signal.aborted || (step.length === 0 && !bounds.follow)) return
  }
}

function asFed(topic: Topic, { event, position }: Recorded, cursor: string | undefined): FedEvent {
  return {
    ...cloudEventOf(present(topic, event)),
    position: formatPosition(position),
    ...(cursor === undefined ? {} : { cursor }),
  }
}

// A consumer in another language has no upcasters. What they cannot read is given as it was stored.
function present(topic: Topic, event: Event): Event {
  if (!Object.hasOwn(topic.types, event.type) || versionOf(topic, event.type) === (event.dataversion ?? 1))
    return event
  try {
    return upcast(topic, event)
  } catch (error) {
    if (error instanceof MillraceError) return event
    throw error
  }
}

function asServerSentEvents(
  c: KitContext,
  source: (signal: AbortSignal) => AsyncIterable<FedEvent>,
  onError: (error: unknown) => void,
): Response {
  const events = async function* (signal: AbortSignal) {
    for await (const event of source(signal))
      yield { data: JSON.stringify(event), ...(event.cursor === undefined ? {} : { id: event.cursor }) }
  }
  return serverSentEvents(c, events, { onError })
}
