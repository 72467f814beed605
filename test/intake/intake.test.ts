import { topic } from '@millrace/event'
import { httpApp, intake, serveHttp } from '@millrace/hono'
import { connectLog } from '@millrace/redis'
import { contextStore } from '@millrace/service'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { startRedis } from '../support/redis.ts'

const readings = topic('readings', { partitions: 4, types: { Taken: z.object({ n: z.int() }) } })
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const authorization = 'Bearer a-token-of-this-test'

let redis: Awaited<ReturnType<typeof startRedis>>
let log: Awaited<ReturnType<typeof connectLog>>
let server: Awaited<ReturnType<typeof serveHttp>>

beforeAll(async () => {
  redis = await startRedis({ appendonly: true })
  log = await connectLog({ url: redis.url })
  const app = httpApp({ logger: silent, context: contextStore })
  app.route('/', intake({ topics: [readings], log, tokens: ['a-token-of-this-test'], logger: silent }))
  server = await serveHttp(app, { port: 0 })
})

afterAll(async () => {
  await server.stop()
  await log.close()
  await redis.stop()
})

const address = () => `${server.url}/topics/readings/events`

const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_unused, at) => {
    const n = from + at
    return JSON.stringify({
      specversion: '1.0',
      id: `r-${n}`,
      source: '/sensor',
      type: 'Taken',
      subject: `s${n % 9}`,
      data: { n },
    })
  }).join('\n')

const post = (body: string) =>
  fetch(address(), {
    method: 'POST',
    body,
    headers: { authorization, 'content-type': 'application/x-ndjson' },
  })

interface Fed {
  readonly subject: string
  readonly cursor: string
  readonly data: { readonly n: number }
}

const ask = (query: string) => fetch(`${address()}?${query}`, { headers: { authorization } })

const eventsOf = async (answer: Response): Promise<Fed[]> =>
  (await answer.text())
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Fed)

const read = async (query: string) => eventsOf(await ask(query))

describe('the intake on Redis', () => {
  it('takes thousands of lines in order, repeats nothing, and gives them back page by page', async () => {
    expect(await (await post(lines(0, 3_000))).json()).toMatchObject({ appended: 3_000, refused: 0 })
    expect(await (await post(lines(2_000, 4_000))).json()).toMatchObject({
      appended: 1_000,
      duplicate: 1_000,
    })
    const seen: Fed[] = []
    for (
      let page = await read('limit=700');
      page.length > 0;
      page = await read(`limit=700&after=${page.at(-1)?.cursor}`)
    )
      seen.push(...page)
    expect(seen).toHaveLength(4_000)
    for (let key = 0; key < 9; key++) {
      const numbers = seen.filter(({ subject }) => subject === `s${key}`).map(({ data }) => data.n)
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    }
  })

  it('gives a follower what another producer appends, by key and as a whole', async () => {
    // The answer begins when the feed knows where it starts.
    const following = await ask('after=latest&follow=true&limit=9')
    const oneKey = await ask('key=s4&after=latest&follow=true&limit=1')
    expect((await post(lines(4_000, 4_009))).status).toBe(200)
    const numbers = (await eventsOf(following)).map(({ data }) => data.n).toSorted((a, b) => a - b)
    expect(numbers).toEqual(Array.from({ length: 9 }, (_unused, at) => 4_000 + at))
    expect((await eventsOf(oneKey)).map(({ data }) => data.n)).toEqual([4_000])
  })

  it('answers 503 while the log is away, and takes the same request once it is back', async () => {
    await redis.kill()
    const away = await post(lines(5_000, 5_010))
    expect(away.status).toBe(503)
    expect(await away.json()).toMatchObject({
      results: expect.arrayContaining([expect.objectContaining({ line: 1 })]),
    })
    await redis.restart()
    let again: Response
    do again = await post(lines(5_000, 5_010))
    while (again.status === 503)
    const report = (await again.json()) as { appended: number; duplicate: number }
    expect(report.appended + report.duplicate).toBe(10)
  })
})
