import { MillraceError } from '@millrace/event'
import {
  bearerToken,
  checkFields,
  httpApp,
  type HttpAppOptions,
  jsonBody,
  type KitContext,
  openApi,
  operation,
  queryFields,
  readJson,
  timeLimit,
} from '@millrace/hono'
import { formatPosition, parsePosition } from '@millrace/log'
import type { ViewStore } from '@millrace/view'
import { z } from 'zod'
import { offerActions, changeOffer, type OfferAction, type OfferWritten } from './offers-in/change-offer.ts'
import { type Call, type OfferPorts, readIdempotencyKey } from './offers-in/command-call.ts'
import { makeOffer } from './offers-in/make-offer.ts'
import { entityTag, expectedVersion } from './offers-in/offer-version.ts'
import { about } from './leads-api.ts'
import { handled } from './leads-out/handled-watch.ts'
import { assertPositionOf, leadsAt, type LeadsReader } from './leads-out/leads-answer.ts'
import { addLists, type ListPorts } from './leads-out/lists.ts'
import { offerFields } from './offers-topic.ts'
import type { SalesRows } from './view/sales-rows.ts'

/** What {@link createLeadsApp} needs. */
export interface LeadsAppOptions extends ListPorts {
  readonly offers: OfferPorts
  readonly reader: LeadsReader
  readonly view: ViewStore<SalesRows>
  /** Bearer tokens of those who may call. Empty: nobody may. */
  readonly tokens: readonly string[]
  readonly http: HttpAppOptions
  /** How long a read with `after` waits, in ms. */
  readonly waitMs: number
}

const offerRequest = z.strictObject({ car: offerFields.car, price: offerFields.price })
const changeRequest = z.strictObject({ expectedVersion: z.int().min(1).optional() })
const readQuery = z.object({
  at: z.string().max(200).optional().describe('As it was: a time (ISO 8601), or a position of the topic'),
  after: z.string().max(200).optional().describe('Wait until the event at this position was handled'),
})

/** The HTTP interface of leads: offers in, leads and tasks out. Described in docs/leads.md. */
export function createLeadsApp(options: LeadsAppOptions) {
  const { reader, waitMs } = options
  const app = httpApp({ body: { maxBytes: 16 * 1024 }, ...options.http })
  app.use(timeLimit(waitMs + 1_500))
  for (const path of ['/buyers/*', '/leads', '/leads/*', '/tasks', '/tasks/*'])
    app.use(path, bearerToken({ tokens: options.tokens }))

  app.post('/buyers/:buyer/offers', operation(about.making), jsonBody(offerRequest), async (c) => {
    const buyer = nameIn(c, 'buyer')
    const written = await makeOffer(options.offers, callOf(c), buyer, c.req.valid('json'))
    c.header('Location', `/leads/${encodeURIComponent(buyer)}`)
    return answer(c, written, 201)
  })

  for (const action of Object.keys(offerActions) as OfferAction[])
    app.post(`/buyers/:buyer/offers/:offer/${action}`, operation(about.changing(action)), async (c) => {
      const buyer = nameIn(c, 'buyer')
      const body = await checkFields(changeRequest, hasBody(c) ? await readJson(c) : {})
      const expected = expectedVersion(c.req.header('if-match'), body.expectedVersion)
      const change = { buyer, offer: nameIn(c, 'offer'), action, expected }
      return answer(c, await changeOffer(options.offers, callOf(c), change), 200)
    })

  app.get('/leads/:buyer', operation(about.reading), queryFields(readQuery), async (c) => {
    const buyer = nameIn(c, 'buyer')
    const { at, after } = c.req.valid('query')
    if (after !== undefined) {
      const position = parsePosition(after)
      assertPositionOf(buyer, position)
      await handled(reader.store, { group: reader.processor.name, key: buyer }, position, waitMs)
    }
    c.header('Cache-Control', 'no-store')
    return c.json(await leadsAt(reader, buyer, momentOf(at, buyer)))
  })
  addLists(app, options)
  openApi(app, about.api)
  return app
}

/** @throws MillraceError `request.invalid` */
function nameIn(c: KitContext, parameter: 'buyer' | 'offer'): string {
  const found = offerFields.name.safeParse(c.req.param(parameter))
  if (found.success) return found.data
  const message = found.error.issues[0]?.message ?? 'is wrong'
  throw new MillraceError('request.invalid', `The ${parameter} ${message}`, {
    errors: [{ field: parameter, message }],
  })
}

function momentOf(at: string | undefined, buyer: string) {
  if (at === undefined) return {}
  if (!at.includes('/')) {
    if (Number.isFinite(Date.parse(at))) return { time: at }
    throw new MillraceError('position.invalid', 'at is a time such as 2026-11-22T10:00:00Z, or a position')
  }
  const position = parsePosition(at)
  assertPositionOf(buyer, position)
  return { position }
}

function hasBody(c: KitContext): boolean {
  return c.req.header('content-type') !== undefined
}

function callOf(c: KitContext): Call {
  return {
    correlationId: c.get('correlationId'),
    traceparent: c.get('traceparent'),
    idempotencyKey: readIdempotencyKey(c.req.header('idempotency-key')),
  }
}

function answer(c: KitContext, { position, ...written }: OfferWritten, status: 200 | 201): Response {
  c.header('ETag', entityTag(written.version))
  return c.json({ ...written, position: formatPosition(position) }, status)
}
