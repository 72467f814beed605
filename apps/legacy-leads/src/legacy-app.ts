import { MillraceError } from '@millrace/event'
import { bearerToken, httpApp, type HttpAppOptions, jsonBody, openApi, operation } from '@millrace/hono'
import { z } from 'zod'
import { behaviour, Moods } from './behaviour.ts'
import type { LegacyDatabase } from './legacy-database.ts'
import { legacyFact, takeFact } from './legacy-facts.ts'
import { legacyLeads, leadsOfCustomer } from './legacy-leads.ts'

/** What {@link createLegacyLeads} needs. */
export interface LegacyLeadsOptions {
  readonly database: LegacyDatabase
  /** Bearer tokens of the systems that may call. Empty: nobody may. */
  readonly tokens: readonly string[]
  /** Bearer tokens of those who may make it slow and fallible. Empty: nobody may. */
  readonly adminTokens: readonly string[]
  readonly http: HttpAppOptions
  /** From 0 up to 1: decides which answers fail. Default: chance. */
  readonly random?: () => number
}

/**
 * The old lead system, with its own data and an interface of its own: `POST /facts`, `GET /customers/{name}/leads`. It
 * stands for what a company has had for years, so it knows nothing of Millrace. `PUT /admin/behaviour` makes it slow
 * and fallible.
 */
export function createLegacyLeads(options: LegacyLeadsOptions) {
  const { database } = options
  const moods = new Moods(options.random ?? Math.random)
  const app = httpApp({ body: { maxBytes: 16 * 1024 }, ...options.http })
  const known = bearerToken({ tokens: options.tokens })
  app.use('/facts', known)
  app.use('/customers/*', known)
  app.use('/admin/*', bearerToken({ tokens: options.adminTokens }))

  app.post('/facts', operation(about.telling), jsonBody(legacyFact), async (c) => {
    await moods.suffer(c.req.raw.signal)
    return c.json({ status: await database.run((queries) => takeFact(queries, c.req.valid('json'))) })
  })
  app.get('/customers/:name/leads', operation(about.asking), async (c) => {
    await moods.suffer(c.req.raw.signal)
    const leads = await database.run((queries) => leadsOfCustomer(queries, c.req.param('name')))
    if (!leads) throw new MillraceError('customer.unknown')
    return c.json(leads)
  })
  app.put('/admin/behaviour', operation(about.behaving), jsonBody(behaviour), (c) => {
    moods.now = c.req.valid('json')
    return c.json({ ...moods.now, ...moods.counts })
  })
  openApi(app, { title: 'Legacy leads', version: '0.1.0', description: 'The old lead system.' })
  return app
}

const tags = { tags: ['Legacy'], secured: true } as const
const about = {
  telling: {
    summary: 'Takes a fact about an offer in',
    ...tags,
    answers: {
      200: { description: 'It is in', schema: z.object({ status: z.enum(['taken', 'old']) }) },
    },
    problems: ['request.invalid', 'request.unauthorized', 'service.unavailable'],
  },
  asking: {
    summary: 'The leads of a customer, and up to when they are told',
    ...tags,
    answers: { 200: { description: 'His leads', schema: legacyLeads } },
    problems: ['request.unauthorized', 'customer.unknown', 'service.unavailable'],
  },
  behaving: {
    summary: 'Makes answers slow and fallible',
    ...tags,
    answers: {
      200: {
        description: 'From now on',
        schema: behaviour.extend({ asked: z.int(), failed: z.int() }),
      },
    },
    problems: ['request.invalid', 'request.unauthorized'],
  },
} as const
