import { once } from 'node:events'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { testSeed } from '../../../test/support/random.ts'
import type { KitContext } from './environment.ts'
import { httpApp } from './http-app.ts'
import { jsonLines, readLines } from './json-lines.ts'
import { type HttpServer, serveHttp } from './serve.ts'
import { serverSentEvents } from './server-sent-events.ts'
import { streamAnswer } from './stream.ts'

const seed = testSeed()

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const context = { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined }

const servers: HttpServer[] = []
afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())))

function build(handler: (c: KitContext) => Response) {
  const app = httpApp({ logger: silent, context })
  app.get('/stream', handler)
  return app
}

async function serve(handler: (c: KitContext) => Response): Promise<HttpServer> {
  const server = await serveHttp(build(handler), { port: 0, stopTimeoutMs: 30_000 })
  servers.push(server)
  return server
}

describe('a stream', () => {
  it('of which the head alone is asked for lets its source go', async () => {
    const cleanedUp = Promise.withResolvers<void>()
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new Error('Nobody takes it')),
        return: async () => {
          cleanedUp.resolve()
          return { done: true, value: undefined } as const
        },
      }),
    }
    const app = build((c) => streamAnswer(c, () => source, { contentType: 'text/plain' }))
    const answer = await app.request('/stream', { method: 'HEAD' })
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      200,
      'text/plain',
      '',
    ])
    await cleanedUp.promise
  })

  it('makes nothing ahead of what the client takes, and ends when it goes away', async () => {
    let made = 0
    const ended = Promise.withResolvers<void>()
    const line = 'x'.repeat(64 * 1024)
    const server = await serve((c) =>
      jsonLines(c, async function* () {
        try {
          for (;;) {
            made += 1
            await new Promise(setImmediate)
            yield line
          }
        } finally {
          ended.resolve()
        }
      }),
    )
    const socket = connect(server.port, '127.0.0.1')
    socket.write('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
    socket.pause()
    // It is stuck when it makes no more: then the buffers of the two sockets are full.
    let before = -1
    while (before !== made) {
      before = made
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    expect(made).toBeLessThan(1_000)
    socket.resume()
    await once(socket, 'data')
    socket.destroy()
    await ended.promise
  })

  it('tells a source that waits that the client has gone', async () => {
    const told = Promise.withResolvers<void>()
    const server = await serve((c) =>
      serverSentEvents(c, async function* (signal) {
        yield { data: 'first' }
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        told.resolve()
      }),
    )
    const socket = connect(server.port, '127.0.0.1')
    socket.write('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
    socket.destroy()
    await expect(told.promise).resolves.toBeUndefined()
  })

  it('ends when the server stops, though its source would go on for ever', async () => {
    const server = await serve((c) =>
      serverSentEvents(c, async function* (signal) {
        yield { data: 'first' }
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      }),
    )
    const answer = await fetch(`${server.url}/stream`)
    const text = answer.text()
    await server.stop()
    expect(await text).toBe('retry: 1000\n\ndata: first\n\n')
  })

  it('says that it lives while its source is silent', async () => {
    const release = Promise.withResolvers<void>()
    const app = build((c) =>
      serverSentEvents(
        c,
        async function* () {
          await release.promise
          yield { data: 'late', id: '7', event: 'news' }
        },
        { heartbeatMs: 10 },
      ),
    )
    const reader = (await app.request('/stream')).body?.pipeThrough(new TextDecoderStream()).getReader()
    const pieces = [await reader?.read(), await reader?.read(), await reader?.read()].map((one) =>
      String(one?.value),
    )
    expect(pieces).toEqual(['retry: 1000\n\n', ': still here\n\n', ': still here\n\n'])
    release.resolve()
    let last = ''
    while (!last.includes('late')) last = String((await reader?.read())?.value)
    expect(last).toBe('id: 7\nevent: news\ndata: late\n\n')
  })

  it('that fails says so at its end, without the inside', async () => {
    const seen: unknown[] = []
    const onError = (error: unknown) => void seen.push(error)
    const failing = async function* () {
      yield { data: 'one' }
      throw new Error('inside')
    }
    const lines = await (await build((c) => jsonLines(c, failing, { onError })).request('/stream')).text()
    expect(lines.split('\n')[0]).toBe('{"data":"one"}')
    expect(JSON.parse(lines.split('\n')[1] ?? '')).toMatchObject({
      problem: { code: 'internal', status: 500, instance: '/stream' },
    })
    const events = await (
      await build((c) => serverSentEvents(c, failing, { onError })).request('/stream')
    ).text()
    expect(events).toContain('event: problem\ndata: {')
    expect(lines + events).not.toContain('inside')
    expect(seen).toHaveLength(2)
  })
})

describe('a server-sent event', () => {
  it('keeps its frame whatever the data hold', async () => {
    const app = build((c) =>
      serverSentEvents(c, async function* () {
        yield { data: 'a\nid: 9\r\n\r\nevent: x', id: '1\n2', event: 'e\0\r' }
      }),
    )
    expect(await (await app.request('/stream')).text()).toBe(
      'retry: 1000\n\nid: 12\nevent: e\ndata: a\ndata: id: 9\ndata: \ndata: event: x\n\n',
    )
  })
})

describe('readLines', () => {
  const limits = { maxLineBytes: 40, maxBytes: 10_000, pieceTimeoutMs: 60_000 }
  const read = async (pieces: readonly Uint8Array[], some: Partial<typeof limits> = {}) => {
    const found: [number, string | undefined][] = []
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const piece of pieces) controller.enqueue(piece)
        controller.close()
      },
    })
    for await (const { line, bytes } of readLines(body, { ...limits, ...some }))
      found.push([line, bytes && new TextDecoder().decode(bytes)])
    return found
  }

  it(`gives the same lines however the body is cut (seed ${seed})`, async () => {
    const line = fc
      .string({ unit: 'grapheme', maxLength: 60 })
      .map((text) => text.replaceAll(/[\n\r\t ]/g, '.'))
    const property = fc.asyncProperty(
      fc.array(line, { maxLength: 8 }),
      fc.array(fc.nat(400), { maxLength: 12 }),
      async (lines, cuts) => {
        const bytes = new TextEncoder().encode(lines.join('\n'))
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length]
        const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
        const expected = lines
          .map((text, index) => [index + 1, Buffer.byteLength(text) > 40 ? undefined : text])
          .filter(([, text]) => text !== '')
        expect(await read(pieces)).toEqual(expected)
      },
    )
    await fc.assert(property, { seed, numRuns: 300 })
  })

  it('leaves out blank lines but counts them', async () => {
    expect(await read([Buffer.from('\r\n{"a":1}\r\n \t\n\n{"b":2}')])).toEqual([
      [2, '{"a":1}\r'],
      [5, '{"b":2}'],
    ])
  })

  it('takes no more than the bytes it may', async () => {
    await expect(read([Buffer.alloc(6_000, 'a\n'), Buffer.alloc(6_000, 'a\n')])).rejects.toMatchObject({
      code: 'request.too-large',
    })
  })

  it('does not wait for ever', async () => {
    const never = new ReadableStream<Uint8Array>()
    await expect(readLines(never, { ...limits, pieceTimeoutMs: 20 }).next()).rejects.toMatchObject({
      code: 'request.slow',
    })
  })
})
