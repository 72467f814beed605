import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { runInScope } from '@millrace/event'
import { happened, testTopic } from '@millrace/log/contract'
import { afterEach, expect, test } from 'vitest'
import { httpSource, type HttpSourceOptions } from './http-source.ts'
import { mergePatch } from './merge-patch.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

const event = happened(testTopic(), 'k 1')
const never = new AbortController().signal

async function answering(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function ask(listener: RequestListener, options: Partial<HttpSourceOptions> = {}) {
  const host = await answering(listener)
  const url = () => `http://${host}/suppliers/${encodeURIComponent(event.subject)}`
  return httpSource({ allowedHosts: [host], url, plain: true, ...options }).fetch(event, never)
}

const json =
  (body: unknown): RequestListener =>
  (_, response) => {
    response.setHeader('content-type', 'application/json; charset=utf-8').end(JSON.stringify(body))
  }

test('answers what the source says, and nothing when the entity is gone', async () => {
  expect(await ask(json({ name: 'Zoë' }))).toEqual({ data: { name: 'Zoë' } })
  const read = (body: unknown) => ({ data: body, version: (body as { version: number }).version })
  expect(await ask(json({ version: 7 }), { read })).toEqual({ data: { version: 7 }, version: 7 })
  expect(await ask((_, response) => response.writeHead(404).end())).toBeUndefined()
})

test('follows no redirect', async () => {
  let asked = 0
  const secret = await answering((_, response) => {
    asked += 1
    json({})(_, response)
  })
  const redirect: RequestListener = (_, response) => {
    response.writeHead(302, { location: `http://${secret}/` }).end()
  }
  await expect(ask(redirect)).rejects.toMatchObject({ code: 'source.refused' })
  expect(asked).toBe(0)
})

test.each<[string, string]>([
  ['a host that is not named', 'https://other.example/'],
  ['the same host at another port', 'https://named.example:444/'],
  ['a host that begins alike', 'https://named.example.evil.example/'],
  ['a plain address', 'http://named.example/'],
  ['a file', 'file:///etc/passwd'],
  ['an address with a password', 'https://me:secret@named.example/'],
  ['no address', 'named.example'],
])('%s is not asked', async (_, url) => {
  const fetch = () => Promise.reject(new Error('it was asked'))
  const source = httpSource({ allowedHosts: ['named.example'], url: () => url, fetch })
  await expect(source.fetch(event, never)).rejects.toMatchObject({ code: 'source.refused' })
})

test('takes no more than its size', async () => {
  const large = json({ text: 'x'.repeat(2_000) })
  await expect(ask(large, { maxBytes: 1_000 })).rejects.toMatchObject({ code: 'source.refused' })
  const endless: RequestListener = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const more = (): boolean => response.write('"'.repeat(500)) && !response.destroyed
    response.on('drain', more)
    more()
    more()
    more()
  }
  await expect(ask(endless, { maxBytes: 1_000 })).rejects.toMatchObject({ code: 'source.refused' })
})

test('waits no longer than its time, for the head or for the body', async () => {
  const silent: RequestListener = () => undefined
  const stalling: RequestListener = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{')
  }
  for (const listener of [silent, stalling])
    await expect(ask(listener, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'source.failed' })
})

test.each<[string, RequestListener, string]>([
  ['an error', (_, response) => response.writeHead(500).end(), 'source.failed'],
  [
    'no JSON',
    (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('{}'),
    'source.refused',
  ],
  [
    'broken JSON',
    (_, response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{'),
    'json.invalid',
  ],
])('%s is no present state', async (_, listener, code) => {
  await expect(ask(listener)).rejects.toMatchObject({ code })
})

test('a merge patch replaces, removes and adds members', () => {
  expect(mergePatch({ a: 'b', c: { d: 'e', f: 'g' } }, { a: 'z', c: { f: null } })).toEqual({
    a: 'z',
    c: { d: 'e' },
  })
  expect(mergePatch({ a: [1] }, { a: [2, 3] })).toEqual({ a: [2, 3] })
  expect(mergePatch('text', { a: { b: null } })).toEqual({ a: {} })
  expect(mergePatch({ a: 1 }, ['all'])).toEqual(['all'])
})

test('what it asks has the ids of whatever it is asked for', async () => {
  const asked: unknown[] = []
  const listener: RequestListener = (request, response) => {
    asked.push(request.headers['x-correlation-id'], request.headers['traceparent'])
    json({})(request, response)
  }
  const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`
  await runInScope({ correlationId: 'incident-7', traceparent }, () => ask(listener))
  expect(asked).toEqual(['incident-7', traceparent])
})
