import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.ts'
import { createLegacyLeads } from './legacy-app.ts'
import { type LegacyDatabase, openLegacyDatabase } from './legacy-database.ts'

let server: TestPostgres
let database: LegacyDatabase
let app: ReturnType<typeof createLegacyLeads>
beforeAll(async () => {
  server = await startPostgres()
  database = await openLegacyDatabase({ url: server.url, onError: () => undefined })
  // Processes that start at once make the same tables.
  await Promise.all(Array.from({ length: 8 }, () => database.prepare()))
  await database.prepare()
  const quiet = () => undefined
  const http = {
    logger: { info: quiet, warn: quiet, error: quiet, debug: quiet },
    context: { run: <T>(_: unknown, act: () => T): T => act(), current: quiet },
  }
  app = createLegacyLeads({ database, http, tokens: ['system'], adminTokens: ['admin'], random: () => 0.5 })
})
afterAll(async () => {
  await database.close()
  await server.stop()
})

async function call(method: string, path: string, body?: unknown, token = 'system') {
  const answer = await app.request(path, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

const at = (minute: number) => `2026-11-22T10:0${minute}:00.000Z`
const fact = (what: string, revision: number, minute: number) => ({
  ...{ customer: 'ada', bid: 'x', car: 'car1', what, revision, at: at(minute) },
  ...(what === 'made' ? { price: 7 } : {}),
})

describe('the old lead system', () => {
  it('answers leads with its own as-of, whatever order facts came in', async () => {
    expect((await call('GET', '/customers/ada/leads')).status).toBe(404)
    await call('POST', '/facts', fact('accepted', 2, 1))
    await call('POST', '/facts', fact('made', 1, 0))
    expect((await call('POST', '/facts', fact('accepted', 2, 1))).body).toEqual({ status: 'old' })
    expect((await call('GET', '/customers/ada/leads')).body).toEqual({
      customer: 'ada',
      asOf: at(1),
      lowLead: false,
      highLeads: ['car1'],
      contacted: true,
      bids: [
        {
          ...{ id: 'x', car: 'car1', price: 7, status: 'accepted', revision: 2 },
          ...{ acceptedIn: 2, quoted: true, calledFor: 2 },
        },
      ],
    })
    await call('POST', '/facts', fact('acceptance-withdrawn', 3, 2))
    expect((await call('GET', '/customers/ada/leads')).body).toMatchObject({ lowLead: true, highLeads: [] })
  })

  it('leaves quotes and calls to another system when it is told so', async () => {
    await call('POST', '/facts', { ...fact('made', 1, 0), customer: 'bob', act: false })
    await call('POST', '/facts', { ...fact('accepted', 2, 1), customer: 'bob', act: false })
    expect((await call('GET', '/customers/bob/leads')).body).toMatchObject({
      contacted: false,
      bids: [{ quoted: false, calledFor: 0, acceptedIn: 2 }],
    })
  })

  it('is slow and fallible on demand, for those who may', async () => {
    const down = { latencyMs: 5, failureRate: 1 }
    expect((await call('PUT', '/admin/behaviour', down)).status).toBe(401)
    expect((await call('PUT', '/admin/behaviour', down, 'admin')).status).toBe(200)
    expect((await call('GET', '/customers/ada/leads')).body).toMatchObject({ code: 'service.unavailable' })
    expect((await call('PUT', '/admin/behaviour', {}, 'admin')).body).toMatchObject({ failed: 1 })
    expect((await call('GET', '/customers/ada/leads')).status).toBe(200)
    expect((await call('GET', '/customers/ada/leads', undefined, 'nobody')).status).toBe(401)
  })
})
