import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { MillraceError } from '@millrace/event'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { authorizationFault, tokenFault } from './bearer-token.ts'
import { directRoute } from './direct-route.ts'
import { httpApp } from './http-app.ts'
import { readJson } from './json-body.ts'
import type { ContextStore, RequestIds } from './ports.ts'
import { type HttpServer, serveHttp } from './serve.ts'

const storage = new AsyncLocalStorage<RequestIds>()
const context: ContextStore = { run: (ids, fn) => storage.run(ids, fn), current: () => storage.getStore() }
type Line = readonly [level: string, message: string, fields: Readonly<Record<string, unknown>> | undefined]
let lines: Line[] = []
/** Correlation ids that lines were written under. */
let scopes: (string | undefined)[] = []
let counted: unknown[][] = []
let running = 0
let answered: string[] = []
const logger = {
  debug: (message: string, fields?: Line[2]) => void lines.push(['debug', message, fields]),
  info: (message: string, fields?: Line[2]) => {
    scopes.push(context.current()?.correlationId)
    lines.push(['info', message, fields])
  },
  warn: (message: string, fields?: Line[2]) => void lines.push(['warn', message, fields]),
  error: (message: string, fields?: Line[2]) => void lines.push(['error', message, fields]),
}
const meter = {
  begin: () => void (running += 1),
  end: (...args: unknown[]) => {
    running -= 1
    counted.push(args.slice(0, 3))
  },
}

let release = Promise.withResolvers<void>()
let entered = Promise.withResolvers<void>()

/** What the route does, whoever asks: answers what it was told, or fails as it was told. */
async function act(value: unknown, by: string): Promise<unknown> {
  answered.push(by)
  const told = value as { readonly fail?: string; readonly wait?: boolean }
  if (told.fail === 'known')
    throw new MillraceError('append.claimed', 'Taken', { details: { field: 'email' } })
  if (told.fail === 'busy') throw new MillraceError('log.unavailable')
  if (told.fail === 'unknown') throw new Error('the password is hunter2')
  if (told.fail === 'unspeakable') return { id: 1n }
  if (told.wait) {
    entered.resolve()
    await release.promise
  }
  return { told, correlationId: context.current()?.correlationId, absent: undefined, name: 'Ünïcode €' }
}

const servers: HttpServer[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})
beforeEach(() => {
  lines = []
  scopes = []
  counted = []
  answered = []
  release = Promise.withResolvers()
  entered = Promise.withResolvers()
})

const options = { logger, context, meter, body: { maxBytes: 2_000 }, security: { hstsSeconds: 60 } }

async function start(): Promise<{ readonly direct: HttpServer; readonly byHono: HttpServer }> {
  const tokens = ['sesame']
  const app = httpApp({ ...options, refuse: tokenFault({ tokens }) })
  app.post('/events', async (c) => c.json((await act(await readJson(c), 'hono')) as object))
  const faultOf = authorizationFault({ tokens })
  const direct = directRoute(
    {
      ...options,
      ...{ method: 'POST', path: '/events' },
      refuse: (request) => faultOf(request.header('authorization')),
    },
    (request) => act(request.json(), 'direct'),
  )
  const both = {
    direct: await serveHttp(Object.assign(app, { direct }), { port: 0 }),
    byHono: await serveHttp({ fetch: app.fetch }, { port: 0 }),
  }
  servers.push(both.direct, both.byHono)
  return both
}

interface Sent {
  readonly path?: string
  readonly method?: string
  readonly body?: string | Uint8Array<ArrayBuffer>
  readonly headers?: Readonly<Record<string, string>>
}

const json = { authorization: 'Bearer sesame', 'content-type': 'application/json', 'x-correlation-id': 'abc' }

async function ask(
  server: HttpServer,
  { path = '/events', method = 'POST', body = '{}', headers = json }: Sent,
) {
  lines = []
  counted = []
  const answer = await fetch(server.url + path, { method, headers, ...(method === 'GET' ? {} : { body }) })
  const text = await answer.text()
  return {
    status: answer.status,
    headers: Object.fromEntries([...answer.headers].filter(([name]) => name !== 'date')),
    text,
    lines: lines.map(([level, message, fields]) => [level, message, { ...fields, ms: 0, err: 0 }]),
    counted,
    running,
  }
}

const large = JSON.stringify({ text: 'x'.repeat(3_000) })
const cases: Readonly<Record<string, Sent>> = {
  'a plain one': { body: '{"a":[1,"€"]}' },
  'one with another JSON type': {
    headers: { ...json, 'content-type': 'application/cloudevents+json; charset=utf-8' },
  },
  'one whose ids are malformed': { headers: { ...json, 'x-correlation-id': 'abc', traceparent: 'nonsense' } },
  'one without a token': { headers: { ...json, authorization: '' } },
  'one with a wrong token': { headers: { ...json, authorization: 'Bearer wrong!' } },
  'a text': { headers: { ...json, 'content-type': 'text/plain' } },
  'what is not JSON': { body: '{' },
  'what is not UTF-8': { body: new Uint8Array([0x22, 0xff, 0x22]) },
  'a prototype key': { body: '{"__proto__":1}' },
  'U+0000': { body: '{"a":"\\u0000"}' },
  'a refusal': { body: '{"fail":"known"}' },
  'a failure that may be repeated': { body: '{"fail":"busy"}' },
  'a failure that nobody foresaw': { body: '{"fail":"unknown"}' },
  'an answer that JSON has no word for': { body: '{"fail":"unspeakable"}' },
  'a body that is too large': { body: large },
  'an empty body': { body: '' },
  'a compressed body': { headers: { ...json, 'content-encoding': 'gzip' } },
  'another method': { method: 'PUT' },
  'another path': { path: '/other' },
  'an address that does not decode': { path: '/events?a=%ff' },
}

describe('a direct route answers as Hono does', () => {
  for (const [what, sent] of Object.entries(cases))
    test(`${what}: the same answer, line and count`, async () => {
      const { direct, byHono } = await start()
      expect(await ask(direct, sent)).toEqual(await ask(byHono, sent))
      expect(running).toBe(0)
    })

  test('and what is in the ordinary never comes to Hono', async () => {
    const { direct } = await start()
    await ask(direct, {})
    expect(answered).toEqual(['direct'])
    await ask(direct, { path: '/events?topic=a' })
    expect(answered).toEqual(['direct', 'hono'])
  })
})

async function open(server: HttpServer): Promise<Socket> {
  const socket = connect({ port: server.port, host: '127.0.0.1' })
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

const head = (length: number) =>
  `POST /events HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer sesame\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`

describe('over a connection', () => {
  test('a body that comes in pieces is left to Hono, and is whole there', async () => {
    const { direct } = await start()
    const socket = await open(direct)
    socket.write(`${head(10)}{"a"`)
    // The server has taken what was sent so far when it has answered another connection.
    await ask(direct, {})
    socket.write(':"bc"}')
    const [piece] = (await once(socket, 'data')) as [Buffer]
    expect(piece.toString()).toContain('"told":{"a":"bc"}')
    expect(answered).toEqual(['direct', 'hono'])
  })

  test('a caller that goes away before the answer does no harm', async () => {
    const { direct } = await start()
    const socket = await open(direct)
    socket.write(`${head(13)}{"wait":true}`)
    await entered.promise
    const closed = once(socket, 'close')
    socket.destroy()
    await closed
    // The server sees the end of one connection before it answers on a later one.
    await ask(direct, {})
    release.resolve()
    await ask(direct, {})
    expect(answered).toEqual(['direct', 'direct', 'direct'])
    expect(running).toBe(0)
  })

  test('requests behind one another are answered in their order', async () => {
    const { direct } = await start()
    const socket = await open(direct)
    socket.write(`${head(7)}{"a":1}${head(7)}{"a":2}`)
    let text = ''
    socket.on('data', (piece) => (text += piece.toString()))
    while (!text.includes('"a":2')) await once(socket, 'data')
    expect(text.indexOf('"a":1')).toBeLessThan(text.indexOf('"a":2'))
    expect(answered).toEqual(['direct', 'direct'])
  })

  test('a server that stops answers what it has begun, and closes the connection', async () => {
    const { direct } = await start()
    const socket = await open(direct)
    socket.write(`${head(13)}{"wait":true}`)
    await entered.promise
    const stopped = direct.stop()
    release.resolve()
    const [piece] = (await once(socket, 'data')) as [Buffer]
    expect(piece.toString()).toContain('200 OK')
    await stopped
  })
})

test('the line that comes with the answer is written under the ids of its request', async () => {
  const { direct, byHono } = await start()
  for (const { url } of [direct, byHono]) {
    const headers = {
      authorization: 'Bearer sesame',
      'content-type': 'application/json',
      'x-correlation-id': 'abc',
    }
    const answer = await fetch(`${url}/events`, { method: 'POST', headers, body: '{}' })
    await answer.text()
  }
  expect(answered).toEqual(['direct', 'hono'])
  expect(scopes).toEqual(['abc', 'abc'])
})
