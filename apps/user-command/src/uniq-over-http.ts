import { type Event, MillraceError } from '@millrace/event'
import { cloudEventOf, type ServiceClient } from '@millrace/hono'
import { parsePosition, type Position, type RepeatBounds, repeatUnknown } from '@millrace/log'
import { z } from 'zod'
import type { UniqAction, UniqAnswer, UniqClient, UniqOptions } from './uniq-client.ts'

/** Options of {@link uniqOverHttp}. */
export interface UniqOverHttpOptions {
  readonly client: ServiceClient
  /** Default `accounts`. */
  readonly topic?: string
  /** How long and how often an append with an unknown result is repeated. Default: 4 times within 4,000 ms. */
  readonly repeat?: RepeatBounds
}

const repeatDefaults = { attempts: 4, timeoutMs: 4_000 } satisfies RepeatBounds

// A release goes by POST: some clients and proxies drop the body of a DELETE.
const calls = {
  create: { method: 'POST', path: '/events' },
  none: { method: 'POST', path: '/events' },
  change: { method: 'PATCH', path: '/events' },
  release: { method: 'POST', path: '/events/release' },
} as const satisfies Record<UniqAction, { method: string; path: string }>

const appendAnswer = z.object({
  status: z.enum(['appended', 'duplicate', 'unchanged']),
  position: z.string(),
  version: z.int().optional(),
})
const lookupAnswer = z.object({ owner: z.string().nullable() })

/** Uniq in another process. A connection that cannot be made is an answer at once; one that was cut is not. */
export function uniqOverHttp(options: UniqOverHttpOptions): UniqClient {
  const { client, topic = 'accounts' } = options
  const append = async (action: UniqAction, event: Event, extra: UniqOptions): Promise<UniqAnswer> => {
    const { method, path } = calls[action]
    const answer = await client.json(path, {
      method,
      query: { topic },
      body: cloudEventOf(event),
      headers: headersOf(extra),
      ...(extra.signal === undefined ? {} : { signal: extra.signal }),
    })
    const { version, position, status } = understood(appendAnswer, client, answer.body)
    return { status, position: positionIn(client, position), ...(version === undefined ? {} : { version }) }
  }
  return {
    append: (action, event, extra = {}) =>
      repeatUnknown(() => append(action, event, extra), {
        ...repeatDefaults,
        ...options.repeat,
        signal: extra.signal,
      }),
    ownerOf: async (constraint, values) => {
      const answer = await client.json('/claims/lookup', { body: { topic, constraint, values } })
      return understood(lookupAnswer, client, answer.body).owner ?? undefined
    },
  }
}

function headersOf({ fingerprint, expectedVersion }: UniqOptions): Record<string, string> {
  return {
    ...(fingerprint === undefined ? {} : { 'X-Fingerprint': fingerprint }),
    ...(expectedVersion === undefined ? {} : { 'X-Expected-Version': String(expectedVersion) }),
  }
}

function positionIn(client: ServiceClient, text: string): Position {
  try {
    return parsePosition(text)
  } catch (cause) {
    throw otherForm(client, cause)
  }
}

function understood<T>(schema: z.ZodType<T>, client: ServiceClient, body: unknown): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  throw otherForm(client, result.error)
}

function otherForm(client: ServiceClient, cause: unknown): MillraceError {
  return new MillraceError('service.failed', `${client.name} answered what has another form`, { cause })
}
