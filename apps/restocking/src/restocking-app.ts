import { MillraceError } from '@millrace/event'
import {
  headerOf,
  httpApp,
  intake,
  type HttpAppOptions,
  jsonBody,
  type KitContext,
  openApi,
  operation,
  type Problem,
  queryFields,
  serverSentEvents,
  streamAnswer,
  timeLimit,
  tokenFault,
} from '@millrace/hono'
import type { EventLog } from '@millrace/log'
import type { FeedWatch } from './change-feed.ts'
import type { CarryOut } from './carry-out.ts'
import type { InitialiseProgress } from './initialise.ts'
import {
  attentionBody,
  listQuery,
  manyAnswer,
  manyBody,
  pageAnswer,
  snoozeBody,
  suggestionAnswer,
  verdictsAnswer,
} from './messages.ts'
import { supply } from './supply-topic.ts'
import { suggestionEvents } from './suggestion-events.ts'
import type { Decider, SuggestionStore } from './suggestion-port.ts'

/** What {@link createRestockingApp} needs. */
export interface RestockingAppOptions {
  readonly store: SuggestionStore
  readonly carryOut: CarryOut
  readonly watch: FeedWatch
  /** Fills the system from the central database, telling how far it is. */
  readonly initialise: (correlationId: string, signal: AbortSignal) => AsyncIterable<InitialiseProgress>
  readonly log: Pick<EventLog, 'append' | 'read' | 'readKey' | 'tips'>
  readonly http: HttpAppOptions
  /** Bearer tokens of the services that may call. Empty: nobody may. */
  readonly tokens: readonly string[]
}

/**
 * Suggestions over HTTP: lists with filters, one, why there is none, live news; carried out one by one or many at once,
 * dismissed, snoozed. The header `X-Actor` says who decides.
 */
export function createRestockingApp(options: RestockingAppOptions) {
  const { store, carryOut, watch } = options
  const app = httpApp({ ...options.http, refuse: tokenFault({ tokens: options.tokens }) })
  const patience = timeLimit(15_000)
  const unhurried = ['/suggestions/stream', '/initialise', `/topics/${supply.name}/events`]
  app.use(async (c, next) => (unhurried.includes(c.req.path) ? next() : patience(c, next)))
  const secured = { secured: true } as const
  const problems = ['suggestion.unknown', 'suggestion.gone', 'suggestion.decided'] as const
  const one = { 200: { description: 'The suggestion', schema: suggestionAnswer } }
  const answerOne = async (c: KitContext, id: string, status: 200 | 202 = 200): Promise<Response> => {
    const suggestion = await store.get(id)
    if (!suggestion) throw new MillraceError('suggestion.unknown', `There is no suggestion ${id}`)
    return c.json(suggestion, status)
  }

  app.get(
    '/suggestions',
    operation({
      summary: 'Suggestions, in the order of their ids',
      answers: { 200: { description: 'A page', schema: pageAnswer } },
      ...secured,
    }),
    queryFields(listQuery),
    async (c) => {
      const { limit, ...filter } = c.req.valid('query')
      // Read before the list: what changes meanwhile is told by the stream.
      const feed = await store.feedTip()
      const found = await store.list({ ...withoutUndefined(filter), limit })
      const next = found.length === limit ? { next: found.at(-1)?.id } : {}
      return c.json({ suggestions: found, ...next, feed })
    },
  )
  app.get('/suggestions/counts', async (c) => c.json(await store.counts()))
  app.get('/suggestions/stream', (c) => {
    const after = Number(headerOf(c, 'last-event-id') ?? c.req.query('after') ?? Number.NaN)
    return serverSentEvents(c, (signal) => suggestionEvents(store, watch, after, signal))
  })
  app.post(
    '/suggestions/carry-out',
    operation({
      summary: 'Carries several suggestions out, each by itself',
      description: 'Each has a result of its own; with an Idempotency-Key the whole can be repeated.',
      answers: { 200: { description: 'A result for each', schema: manyAnswer } },
      idempotent: true,
      ...secured,
    }),
    jsonBody(manyBody),
    async (c) => {
      const by = deciderOf(c)
      const results = await carryOut.several([...new Set(c.req.valid('json').ids)], by)
      return c.json({ results })
    },
  )
  app.get(
    '/suggestions/:id',
    operation({ summary: 'One suggestion', answers: one, problems, ...secured }),
    (c) => answerOne(c, c.req.param('id')),
  )
  app.post(
    '/suggestions/:id/carry-out',
    operation({
      summary: 'Changes the order as suggested, then mails its supplier',
      answers: { ...one, 202: { description: 'It is under way' } },
      problems: [...problems, 'order.finished', 'append.version'],
      idempotent: true,
      ...secured,
    }),
    async (c) => {
      const status = await carryOut.one(c.req.param('id'), deciderOf(c))
      return answerOne(c, c.req.param('id'), status === 'in-progress' ? 202 : 200)
    },
  )
  app.post(
    '/suggestions/:id/dismiss',
    operation({ summary: 'It is not to be done', answers: one, problems, ...secured }),
    async (c) => {
      await store.dismiss(c.req.param('id'), deciderOf(c))
      return answerOne(c, c.req.param('id'))
    },
  )
  app.post(
    '/suggestions/:id/snooze',
    operation({ summary: 'It is to be shown again later', answers: one, problems, ...secured }),
    jsonBody(snoozeBody),
    async (c) => {
      await store.snooze(c.req.param('id'), c.req.valid('json').until, deciderOf(c))
      return answerOne(c, c.req.param('id'))
    },
  )
  app.post(
    '/suggestions/:id/reopen',
    operation({ summary: 'Takes a dismissal or a snooze back', answers: one, problems, ...secured }),
    async (c) => {
      await store.reopen(c.req.param('id'))
      return answerOne(c, c.req.param('id'))
    },
  )
  app.post(
    '/suggestions/:id/attention',
    operation({
      summary: 'Tries the mail to the supplier again, or settles it by hand',
      answers: one,
      problems: ['suggestion.unknown', 'suggestion.decided'],
      ...secured,
    }),
    jsonBody(attentionBody),
    async (c) => {
      await carryOut.attend(c.req.param('id'), c.req.valid('json').action)
      return answerOne(c, c.req.param('id'))
    },
  )
  app.get(
    '/orders/:order/verdicts',
    operation({
      summary: 'What is said of each line of an order, and why: also why nothing is suggested',
      answers: { 200: { description: 'The verdicts', schema: verdictsAnswer } },
      ...secured,
    }),
    async (c) => {
      const order = c.req.param('order')
      const lines = await store.verdicts(order)
      return c.json({ order, lines: lines.map(({ order: _, ...line }) => line) })
    },
  )
  app.post(
    '/initialise',
    operation({
      summary: 'Fills the system from the central database; may be repeated at any time',
      description: 'Lines of {"rows", "of"}; the last one has both, or is a problem.',
      answers: { 200: { description: 'How far it is', type: 'application/x-ndjson' } },
      ...secured,
    }),
    (c) => {
      const lines = async function* (signal: AbortSignal) {
        for await (const progress of options.initialise(c.get('correlationId'), signal))
          yield `${JSON.stringify(progress)}\n`
      }
      const onFailure = (problem: Problem) => `${JSON.stringify({ problem })}\n`
      const onError = (err: unknown) => options.http.logger.warn('Filling the system broke off', { err })
      return streamAnswer(c, lines, { contentType: 'application/x-ndjson', onFailure, onError })
    },
  )
  // Product information comes here, the whole catalogue at once, and whatever else others tell.
  app.route(
    '/',
    intake({ topics: [supply], log: options.log, tokens: options.tokens, logger: options.http.logger }),
  )
  openApi(app, { title: 'Restocking', version: '1', description: 'Suggestions on orders, and their news.' })
  return app
}

function deciderOf(c: KitContext): Decider {
  const key = headerOf(c, 'idempotency-key')
  if (key !== undefined && !/^[\x21-\x7e]{1,200}$/.test(key))
    throw new MillraceError('request.invalid', 'Idempotency-Key is 1 to 200 visible ASCII characters')
  const actor = headerOf(c, 'x-actor') ?? 'unknown'
  return { actor: actor.slice(0, 100), correlationId: c.get('correlationId'), idempotencyKey: key }
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function withoutUndefined<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>
}
