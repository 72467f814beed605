import { newEvent, topic } from '@millrace/event'
import { createMemoryLog, type MemoryLog } from '@millrace/log'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { testSeed } from '../../../test/support/random.ts'
import { FeedCursor } from './feed-cursor.ts'
import { httpApp } from './http-app.ts'
import { intake, type IntakeOptions } from './intake.ts'
import { type HttpServer, serveHttp } from './serve.ts'

const seed = testSeed()

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const context = { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined }

const things = topic('things', { partitions: 4, types: { Made: z.object({ n: z.number() }) } })
const wide = topic('wide', { partitions: 128, types: { Made: z.object({ n: z.number() }) } })

const servers: HttpServer[] = []
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())))

function build(options: Partial<IntakeOptions> = {}) {
  const log = createMemoryLog()
  const app = httpApp({ logger: silent, context })
  app.route('/', intake({ topics: [things, wide], log, tokens: ['t-1'], logger: silent, ...options }))
  const get = (query: string, headers: Record<string, string> = {}) =>
    app.request(`/topics/${query}`, { headers: { authorization: 'Bearer t-1', ...headers } })
  return { app, log, get }
}

async function append(log: MemoryLog, from: number, to: number, on = things, keys = 5): Promise<void> {
  for (let n = from; n < to; n++)
    await log.append(on, [{ events: [newEvent(on, { type: 'Made', key: `k${n % keys}`, data: { n } })] }])
}

interface Fed {
  readonly specversion: string
  readonly subject: string
  readonly data: { readonly n: number }
  readonly position: string
  readonly cursor?: string
}

async function linesOf(answer: Response | Promise<Response>): Promise<Fed[]> {
  const text = await (await answer).text()
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Fed)
}

const numbers = (events: readonly Fed[]) => events.map(({ data }) => data.n)

/** Reads server-sent events one by one. */
function messages(answer: Response) {
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (): Promise<{ id: string | undefined; event: Fed }> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end >= 0) {
        const block = text.slice(0, end)
        text = text.slice(end + 2)
        const data = /^data: (.*)$/m.exec(block)?.[1]
        if (data !== undefined) return { id: /^id: (.*)$/m.exec(block)?.[1], event: JSON.parse(data) as Fed }
        continue
      }
      const piece = await reader?.read()
      if (!piece || piece.done) throw new Error(`the stream ended with: ${text}`)
      text += piece.value
    }
  }
  return { next, cancel: () => reader?.cancel() }
}

describe('reading a topic', () => {
  it('gives every event once, as CloudEvents in the order of each key', async () => {
    const { get, log } = build()
    await append(log, 0, 300)
    const answer = await get('things/events')
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
    const events = await linesOf(answer)
    expect(numbers(events).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_unused, n) => n))
    for (let key = 0; key < 5; key++) {
      const one = numbers(events.filter(({ subject }) => subject === `k${key}`))
      expect(one).toEqual(one.toSorted((a, b) => a - b))
    }
    expect(events[0]).toMatchObject({ specversion: '1.0', position: expect.stringMatching(/^things\//) })
  })

  it.each([things, wide])(
    'goes on from any cursor without a gap or a repeat ($partitions partitions)',
    async (on) => {
      const { get, log } = build()
      await append(log, 0, 200, on, 150)
      const seen: number[] = []
      let after = ''
      let events: Fed[]
      do {
        events = await linesOf(get(`${on.name}/events?limit=37&after=${after}`))
        seen.push(...numbers(events))
        after = events.at(-1)?.cursor ?? ''
      } while (events.length > 0)
      expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_unused, n) => n))
    },
  )

  it('gives one key, and goes on within it', async () => {
    const { get, log } = build()
    await append(log, 0, 50)
    const first = await linesOf(get('things/events?key=k2&limit=4'))
    expect(numbers(first)).toEqual([2, 7, 12, 17])
    expect(numbers(await linesOf(get(`things/events?key=k2&after=${first.at(-1)?.cursor}`)))).toEqual([
      22, 27, 32, 37, 42, 47,
    ])
    expect(await linesOf(get('things/events?key=unknown'))).toEqual([])
  })

  it('begins with what comes next after=latest', async () => {
    const { get, log } = build()
    await append(log, 0, 10)
    expect(await linesOf(get('things/events?after=latest'))).toEqual([])
    expect(await linesOf(get('things/events?after=latest&key=k1'))).toEqual([])
  })

  it.each([
    ['after=nonsense', 'position.invalid'],
    ['after=9-1-1', 'position.invalid'],
    ['after=1-1-1.1-2-2', 'position.invalid'],
    ['after=v1', 'position.invalid'],
    ['key=k&after=start', 'position.invalid'],
    ['limit=0', 'request.invalid'],
    ['limit=many', 'request.invalid'],
    ['follow=perhaps', 'request.invalid'],
  ])('refuses ?%s', async (query, code) => {
    const answer = await build().get(`things/events?${query}`)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ code })
  })

  it('needs a token', async () => {
    expect((await build().app.request('/topics/things/events')).status).toBe(401)
  })
})

describe('following a topic', () => {
  it('gives events as they come, and goes on from Last-Event-ID where a connection broke', async () => {
    const { app, log } = build()
    const server = await serveHttp(app, { port: 0 })
    servers.push(server)
    await append(log, 0, 3)
    const headers = { authorization: 'Bearer t-1', accept: 'text/event-stream' }
    const gone = new AbortController()
    const first = messages(
      await fetch(`${server.url}/topics/things/events`, { headers, signal: gone.signal }),
    )
    const early = [await first.next(), await first.next(), await first.next()]
    await append(log, 3, 5)
    const live = [await first.next()]
    gone.abort()
    const id = live[0]?.id ?? ''
    const second = messages(
      await fetch(`${server.url}/topics/things/events`, { headers: { ...headers, 'last-event-id': id } }),
    )
    const rest = [await second.next()]
    await append(log, 5, 6)
    rest.push(await second.next())
    const all = [...early, ...live, ...rest].map(({ event }) => event.data.n)
    expect(all.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('follows one key as JSON lines until the limit', async () => {
    const { get, log } = build()
    await append(log, 0, 6)
    const following = linesOf(get('things/events?key=k1&follow=true&limit=4'))
    await append(log, 6, 20)
    expect(numbers(await following)).toEqual([1, 6, 11, 16])
  })

  it('from latest leaves out what was there', async () => {
    const { get, log } = build()
    await append(log, 0, 10)
    const following = await get('things/events?after=latest&follow=1&limit=2')
    await append(log, 10, 12)
    expect(numbers(await linesOf(following)).toSorted((a, b) => a - b)).toEqual([10, 11])
  })

  it('has a bound for how many follow at once, and counts those who leave', async () => {
    const { get, log } = build({ maxFollowers: 1 })
    await append(log, 0, 1)
    const first = messages(await get('things/events', { accept: 'text/event-stream' }))
    await first.next()
    const second = await get('things/events?follow=true')
    expect(second.status).toBe(429)
    expect(second.headers.get('retry-after')).toBe('5')
    expect((await get('things/events')).status).toBe(200)
    await first.cancel()
    let again: Response
    do again = await get('things/events?follow=true&limit=1')
    while (again.status === 429)
    expect(numbers(await linesOf(again))).toEqual([0])
  })

  it('ends when the server stops', async () => {
    const { app } = build()
    const server = await serveHttp(app, { port: 0, stopTimeoutMs: 30_000 })
    const answer = await fetch(`${server.url}/topics/things/events?follow=true`, {
      headers: { authorization: 'Bearer t-1' },
    })
    await server.stop()
    expect(await answer.text()).toBe('')
  })
})

describe('a cursor', () => {
  it(`comes back from its text as it was (seed ${seed})`, () => {
    const id = fc.tuple(fc.nat(2 ** 42), fc.integer({ min: 1, max: 1e12 }))
    const ids = fc.uniqueArray(fc.tuple(fc.nat(127), id), { selector: ([partition]) => partition })
    fc.assert(
      fc.property(ids, (tips) => {
        const cursor = FeedCursor.at(
          wide,
          tips.map(([partition, [ms, seq]]) => ({ partition, id: `${ms}-${seq}` })),
        )
        expect(encodeURIComponent(cursor.toString())).toBe(cursor.toString())
        expect(FeedCursor.parse(wide, cursor.toString()).byPartition).toEqual(cursor.byPartition)
      }),
      { seed },
    )
  })
})
