import { type EncodedEvent, MillraceError } from '@millrace/event'
import {
  authorizationFault,
  directRoute,
  encodedOfCloudEvent,
  type EventDefaults,
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
import type { Appended, AppendOptions, UniqAction, UniqService } from './uniq-service.ts'

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
  const write = (action: UniqAction) => async (c: KitContext) => {
    const topic = c.req.query('topic') ?? headerOf(c, 'x-topic')
    const open = writeTo(service, topic)
    const [correlationId, traceparent] = [c.get('correlationId'), c.get('traceparent')]
    const value = await readJson(c)
    return c.json(await open(action, value, { correlationId, traceparent }, (name) => headerOf(c, name)))
  }
  app.post('/events', write('create'))
  app.patch('/events', write('change'))
  app.delete('/events', write('release'))
  app.post('/events/release', write('release'))
  app.post('/claims/lookup', jsonBody(lookupRequest), async (c) => {
    const { topic, constraint, values } = c.req.valid('json')
    return c.json({ owner: (await service.of(topic).ownerOf(constraint, values)) ?? null })
  })
  const faultOf = authorizationFault({ tokens: options.tokens })
  const direct = directRoute(
    {
      ...options.http,
      ...{ method: 'POST', path: '/events' },
      refuse: (request) => faultOf(request.header('authorization')),
    },
    (request) => {
      const open = writeTo(service, request.header('x-topic'))
      return open('create', request.json(), request.ids, (name) => request.header(name))
    },
  )
  // Nearly all that comes are claims.
  return Object.assign(app, { direct })
}

/** The answer to a write; an absent version is left out by the encoding. */
interface Written {
  readonly status: Appended['status']
  readonly position: string
  readonly version: number | undefined
}

type HeaderOf = (name: string) => string | undefined
type Write = (action: UniqAction, value: unknown, ids: EventDefaults, header: HeaderOf) => Promise<Written>

/** A topic that is not known is refused before the body is looked at. */
function writeTo(service: UniqService, topic: string | undefined): Write {
  const guarded = service.of(topic)
  const guard = service.guard(topic)
  return (action, value, ids, header) => {
    const encoded = encodedOfCloudEvent(guard.topic, value, ids)
    return guarded.append(action, encoded.event, optionsIn(header, encoded)).then(writtenOf)
  }
}

function writtenOf({ status, position, version }: Appended): Written {
  return { status, position: formatPosition(position), version }
}

const fingerprintText = /^[\x21-\x7e]{1,128}$/
const wholeNumber = /^(0|[1-9]\d{0,14})$/

/** Headers that go with an event. */
function optionsIn(header: HeaderOf, encoded: EncodedEvent): AppendOptions {
  const fingerprint = checked(
    header,
    'x-fingerprint',
    fingerprintText,
    'is 1 to 128 visible ASCII characters',
  )
  const version = checked(header, 'x-expected-version', wholeNumber, 'is a whole number')
  return { encoded, fingerprint, expectedVersion: version === undefined ? undefined : Number(version) }
}

function checked(header: HeaderOf, name: string, pattern: RegExp, message: string): string | undefined {
  const value = header(name)
  if (value === undefined || pattern.test(value)) return value
  throw new MillraceError('request.invalid', `${name} ${message}`, { errors: [{ field: name, message }] })
}
