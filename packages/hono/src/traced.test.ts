import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { newEvent, topic, traceContextOf, type Work, workChannel } from '@millrace/event'
import { createMemoryLog } from '@millrace/log'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { httpApp } from './http-app.ts'
import { intake } from './intake.ts'
import type { ContextStore } from './ports.ts'
import { serviceClient } from './service-client.ts'

const nothing = () => undefined
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
const context: ContextStore = { run: (_, fn) => fn(), current: nothing }
const things = topic('things', { types: { Made: z.object({ n: z.int() }) }, partitions: 1 })
const traceId = 'a'.repeat(32)
const caller = (flags: string) => `00-${traceId}-${'b'.repeat(16)}-${flags}`

let works: Work[]
const hear = (work: unknown) => void works.push(work as Work)
beforeEach(() => {
  works = []
  subscribe(workChannel, hear)
})
afterEach(() => unsubscribe(workChannel, hear))

function build(more: Partial<ContextStore> = {}) {
  const app = httpApp({ logger, context: { ...context, ...more } })
  app.get('/things/:id', (c) => c.json({ traceparent: c.get('traceparent') }))
  app.get('/broken', () => {
    throw new Error('broken')
  })
  app.get('/health/live', (c) => c.json({}))
  return app
}

test('a request of a recorded trace is told of by its template, below its caller', async () => {
  const answer = await build().request('/things/a%40b.example?token=secret', {
    headers: { traceparent: caller('01'), 'X-Correlation-Id': 'c-1' },
  })
  const { traceparent } = (await answer.json()) as { traceparent: string }
  expect(works).toMatchObject([
    {
      kind: 'request',
      method: 'GET',
      route: '/things/:id',
      status: 200,
      correlationId: 'c-1',
      parent: caller('01'),
      traceparent,
    },
  ])
  expect(JSON.stringify(works)).not.toMatch(/example|secret/)
})

test('of others only those are told that fail on our side; health checks never', async () => {
  const app = build()
  for (const path of ['/things/1', '/nowhere', '/health/live'])
    await app.request(path, { headers: { traceparent: caller('00') } })
  await app.request('/health/live', { headers: { traceparent: caller('01') } })
  expect(works).toEqual([])
  await app.request('/broken', { headers: { traceparent: caller('00') } })
  expect(works).toMatchObject([{ kind: 'request', status: 500, parent: caller('00') }])
})

test('the sampler decides once, with what the caller has decided before it', async () => {
  const asked: unknown[] = []
  const app = build({
    sampler: (id, byCaller) => {
      asked.push([id.length, byCaller])
      return byCaller === undefined
    },
  })
  const flagsOf = async (headers: Record<string, string>) => {
    const { traceparent } = (await (await app.request('/things/1', { headers })).json()) as {
      traceparent: string
    }
    return traceContextOf(traceparent)?.sampled
  }
  expect(await flagsOf({})).toBe(true)
  expect(await flagsOf({ traceparent: caller('01') })).toBe(false)
  expect(asked).toEqual([
    [32, undefined],
    [32, true],
  ])
})

test('a call is a span of its own: what is called is below it', async () => {
  const ids = { correlationId: 'c-1', traceparent: caller('01') }
  const sent: (string | null)[] = []
  const client = serviceClient({
    name: 'uniq',
    context: { current: () => ids },
    fetch: (request) => {
      sent.push(request.headers.get('traceparent'), request.headers.get('x-correlation-id'))
      return Response.json({})
    },
  })
  await client.json('/events', { body: {} })
  expect(works).toMatchObject([
    {
      kind: 'call',
      method: 'POST',
      peer: 'uniq',
      status: 200,
      parent: ids.traceparent,
      traceparent: sent[0],
      correlationId: 'c-1',
    },
  ])
  expect(sent[1]).toBe('c-1')
})

test('a call that fails is told of in any trace', async () => {
  const ids = { correlationId: 'c-1', traceparent: caller('00') }
  const client = serviceClient({
    name: 'uniq',
    context: { current: () => ids },
    fetch: () => Promise.reject(new TypeError('fetch failed')),
  })
  await expect(client.json('/events')).rejects.toMatchObject({ code: 'service.unavailable' })
  expect(works).toMatchObject([{ kind: 'call', parent: ids.traceparent, error: { message: 'fetch failed' } }])
})

test.each(['application/x-ndjson', 'text/event-stream'])(
  'a feed as %s is told of when it ends, with its events',
  async (accept) => {
    const log = createMemoryLog()
    for (const n of [1, 2])
      await log.append(things, [
        { events: [newEvent(things, { type: 'Made', key: 'k', data: { n }, correlationId: 'c-7' })] },
      ])
    const app = build()
    app.route('/', intake({ topics: [things], log, tokens: ['t'], logger }))
    const headers = { authorization: 'Bearer t', accept, traceparent: caller('01') }
    const text = await (await app.request('/topics/things/events?limit=2', { headers })).text()
    // Whoever follows learns of each event's story.
    expect(text.match(/"correlationid":"c-7"/g)).toHaveLength(2)
    const [request, feed] = ['request', 'feed'].map((kind) => works.find((work) => work.kind === kind))
    expect(feed).toMatchObject({ topic: 'things', events: 2, parent: request?.traceparent })
  },
)
