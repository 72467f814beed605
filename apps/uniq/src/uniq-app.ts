import { MillraceError } from '@millrace/event'
import {
  eventOfCloudEvent,
  headerOf,
  httpApp,
  type HttpAppOptions,
  jsonBody,
  type KitContext,
  readJson,
  tokenFault,
} from '@millrace/hono'
import { formatPosition } from '@millrace/log'
import { z } from 'zod'
import type { AppendOptions, UniqAction, UniqService } from './uniq-service.ts'

/** What {@link createUniqApp} needs. */
export interface UniqAppOptions {
  readonly service: UniqService
  readonly http: HttpAppOptions
  /** Bearer tokens of the services that may call. Empty: nobody may. */
  readonly tokens: readonly string[]
}

const lookupRequest = z.strictObject({
  topic: z.string().optional(),
  constraint: z.string().min(1).max(63),
  values: z.array(z.string().max(1_024)).min(1).max(8),
})

/**
 * The HTTP interface of Uniq. The body of a write is one CloudEvent; its topic is the only one with constraints,
 * or the one that `?topic=` or the header `X-Topic` names.
 *
 * `POST /events` claims (and takes events without a constraint), `PATCH /events` changes, `DELETE /events` and
 * `POST /events/release` release; `POST /claims/lookup` answers who owns a value, which stays out of addresses.
 */
export function createUniqApp(options: UniqAppOptions) {
  const { service } = options
  const app = httpApp({ ...options.http, refuse: tokenFault({ tokens: options.tokens }) })
  const write = (action: UniqAction) => (c: KitContext) => append(service, action, c)
  app.post('/events', write('create'))
  app.patch('/events', write('change'))
  app.delete('/events', write('release'))
  app.post('/events/release', write('release'))
  app.post('/claims/lookup', jsonBody(lookupRequest), async (c) => {
    const { topic, constraint, values } = c.req.valid('json')
    return c.json({ owner: (await service.of(topic).ownerOf(constraint, values)) ?? null })
  })
  return app
}

async function append(service: UniqService, action: UniqAction, c: KitContext): Promise<Response> {
  const topic = c.req.query('topic') ?? headerOf(c, 'x-topic')
  const guarded = service.of(topic)
  const event = eventOfCloudEvent(service.guard(topic).topic, await readJson(c), {
    correlationId: c.get('correlationId'),
    traceparent: c.get('traceparent'),
  })
  const { status, position, version } = await guarded.append(action, event, optionsIn(c))
  // An absent version is left out by the encoding.
  return c.json({ status, position: formatPosition(position), version })
}

const fingerprintText = /^[\x21-\x7e]{1,128}$/
const wholeNumber = /^(0|[1-9]\d{0,14})$/

/** Headers that go with an event. */
function optionsIn(c: KitContext): AppendOptions {
  const fingerprint = header(c, 'x-fingerprint', fingerprintText, 'is 1 to 128 visible ASCII characters')
  const version = header(c, 'x-expected-version', wholeNumber, 'is a whole number')
  return { fingerprint, expectedVersion: version === undefined ? undefined : Number(version) }
}

function header(c: KitContext, name: string, pattern: RegExp, message: string): string | undefined {
  const value = headerOf(c, name)
  if (value === undefined || pattern.test(value)) return value
  throw new MillraceError('request.invalid', `${name} ${message}`, { errors: [{ field: name, message }] })
}
