import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { MillraceError } from '@millrace/event'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { KitContext } from './environment.ts'
import { httpApp } from './http-app.ts'
import { jsonBody } from './json-body.ts'
import { type HttpServer, serveHttp, type ServeOptions } from './serve.ts'

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const context = { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined }

const servers: HttpServer[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

interface Gate {
  readonly opened: Promise<void>
  open(): void
}

function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { opened: promise, open: resolve }
}

async function start(
  options: Partial<ServeOptions> = {},
  body: { maxBytes?: number; timeoutMs?: number } = {},
) {
  const entered = gate()
  const release = gate()
  const failures: string[] = []
  const app = httpApp({
    logger: { ...silent, error: (message) => void failures.push(message) },
    context,
    body,
  })
  app.get('/hello', (c) => c.text('hello'))
  app.get('/held', async (c) => {
    entered.open()
    await release.opened
    return c.text('done')
  })
  app.get('/stream', (c: KitContext) => {
    entered.open()
    return new Response(
      new ReadableStream({
        start: (controller) => {
          controller.enqueue(new TextEncoder().encode('first\n'))
          c.env.stopping?.addEventListener('abort', () => controller.close())
        },
      }),
    )
  })
  app.post('/json', jsonBody(z.object({ a: z.number() })), (c) => c.json(c.req.valid('json')))
  const server = await serveHttp(app, { port: 0, ...options })
  servers.push(server)
  return { server, entered, release, failures }
}

async function dial(server: HttpServer): Promise<{
  socket: Socket
  text: () => string
  ended: Promise<void>
  until(part: string): Promise<string>
}> {
  const socket = connect(server.port, '127.0.0.1')
  sockets.push(socket)
  let text = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => (text += String(chunk)))
  socket.on('error', () => undefined)
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await once(socket, 'connect')
  const until = async (part: string): Promise<string> => {
    while (!text.includes(part))
      await Promise.race([
        once(socket, 'data'),
        ended.then(() => Promise.reject(new Error(`closed with: ${text}`))),
      ])
    return text
  }
  return { socket, text: () => text, ended, until }
}

describe('serveHttp', () => {
  it('answers on the address that it names', async () => {
    const { server } = await start()
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
    expect(await (await fetch(`${server.url}/hello`)).text()).toBe('hello')
  })

  it('says in one sentence that the port is taken', async () => {
    const { server } = await start()
    const second = serveHttp(
      { fetch: () => new Response() },
      { port: server.port, portVariable: 'GATEWAY_PORT' },
    )
    await expect(second).rejects.toThrow(MillraceError)
    await expect(second).rejects.toMatchObject({
      code: 'port.taken',
      message: `Port ${server.port} on 127.0.0.1 is already in use by another program; stop that program or set GATEWAY_PORT to another port.`,
    })
  })

  it.each([
    ['bytes that are not HTTP', 'hello there\r\n\r\n'],
    ['a header with a NUL', 'GET /hello HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n'],
    ['two lengths', 'POST /json HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    [
      'length and chunks at once',
      'POST /json HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'a broken chunk',
      'POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    ],
    ['a bad host', 'GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['no host', 'GET /hello HTTP/1.1\r\n\r\n'],
    ['a raw path that does not decode', 'GET /%ff HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a backslash in the path', 'GET /a\\b HTTP/1.1\r\nHost: x y\r\n\r\n'],
  ])('answers 400 to %s, and goes on', async (_what, bytes) => {
    const { server, failures } = await start()
    const { socket, until } = await dial(server)
    socket.write(bytes, 'latin1')
    expect(await until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    expect(failures).toEqual([])
    expect(await (await fetch(`${server.url}/hello`)).text()).toBe('hello')
  })

  it('answers 431 to headers that are too large', async () => {
    const { server } = await start({ maxHeaderBytes: 2_048 })
    const { socket, until } = await dial(server)
    socket.write(`GET /hello HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(4_096)}\r\n\r\n`)
    expect(await until('}')).toMatch(/^HTTP\/1\.1 431 [\s\S]*application\/problem\+json/)
  })

  it('answers 408 to headers that trickle', async () => {
    const { server } = await start({ headersTimeoutMs: 200, requestTimeoutMs: 400 })
    const { socket, until, ended } = await dial(server)
    socket.write('GET /hello HTTP/1.1\r\nHost: x\r\n')
    expect(await until('}')).toMatch(/^HTTP\/1\.1 408 [\s\S]*request\.slow/)
    await ended
  })

  it('answers 408 to a body that trickles, with or without a length, and ends the connection', async () => {
    const { server } = await start({}, { timeoutMs: 150 })
    for (const framing of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
      const { socket, until, ended } = await dial(server)
      socket.write(`POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${framing}\r\n\r\n`)
      const trickle = setInterval(() => socket.write(framing.startsWith('T') ? '1\r\n{\r\n' : '{'), 20)
      expect(await until('request.slow')).toMatch(/^HTTP\/1\.1 408 /)
      await ended
      clearInterval(trickle)
    }
  })

  it('gives each request its own body, however the bytes arrive', async () => {
    const { server } = await start()
    const { socket, until, text } = await dial(server)
    const request = (body: string) =>
      `POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    socket.write(request('{"a":1}') + request('{"a":2}') + request('{"a":3}').slice(0, -3))
    await until('{"a":2}')
    socket.write(':3')
    await new Promise(setImmediate)
    socket.write('}')
    await until('{"a":3}')
    expect(text().match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 200'])
    expect(text().indexOf('{"a":1}')).toBeLessThan(text().indexOf('{"a":2}'))
  })

  it('answers 413 to a body that is too large, before it has read it', async () => {
    const { server } = await start({}, { maxBytes: 1_000 })
    const declared = await dial(server)
    declared.socket.write(
      'POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n{',
    )
    expect(await declared.until('request.too-large')).toMatch(/^HTTP\/1\.1 413 /)
    const chunked = await dial(server)
    chunked.socket.write(
      'POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    chunked.socket.write(`800\r\n${'x'.repeat(0x800)}\r\n`)
    expect(await chunked.until('request.too-large')).toMatch(/^HTTP\/1\.1 413 /)
  })

  it('takes no harm from a connection that is cut in the middle of a body', async () => {
    const { server, failures } = await start()
    const { socket, ended, until } = await dial(server)
    socket.write(
      'POST /json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n{"a"',
    )
    await until('100 Continue')
    socket.resetAndDestroy()
    await ended
    expect(await (await fetch(`${server.url}/hello`)).text()).toBe('hello')
    expect(failures).toEqual([])
  })
})

describe('stopping a server', () => {
  it('lets what runs finish, takes nothing new and ends idle connections at once', async () => {
    const { server, entered, release } = await start({ stopTimeoutMs: 60_000 })
    const idle = await dial(server)
    idle.socket.write('GET /hello HTTP/1.1\r\nHost: x\r\n\r\n')
    await idle.until('hello')
    const busy = await dial(server)
    busy.socket.write('GET /held HTTP/1.1\r\nHost: x\r\n\r\n')
    await entered.opened
    const stopped = server.stop()
    await idle.ended
    await expect(fetch(`${server.url}/hello`)).rejects.toThrow('fetch failed')
    release.open()
    expect(await busy.until('done')).toMatch(/^HTTP\/1\.1 200 /)
    await stopped
    await busy.ended
    expect(server.stop()).toBe(server.stop())
  })

  it('cuts what does not finish within the bound, and connections that never said a word', async () => {
    const { server, entered } = await start({ stopTimeoutMs: 100 })
    const silentOne = await dial(server)
    const busy = await dial(server)
    busy.socket.write('GET /held HTTP/1.1\r\nHost: x\r\n\r\n')
    await entered.opened
    await server.stop()
    await Promise.all([busy.ended, silentOne.ended])
    expect(busy.text()).toBe('')
  })

  it('tells streams that never end by themselves', async () => {
    const { server, entered } = await start({ stopTimeoutMs: 30_000 })
    const reader = await dial(server)
    reader.socket.write('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n')
    await entered.opened
    await reader.until('first')
    await server.stop()
    await reader.ended
    expect(reader.text()).toContain('0\r\n\r\n')
  })
})
