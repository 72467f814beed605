import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { MillraceError } from '@millrace/event'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { httpApp } from './http-app.ts'
import { bearerToken } from './bearer-token.ts'
import { serveHttp } from './serve.ts'
import { serviceClient } from './service-client.ts'

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const ids = { correlationId: 'c-9', traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }
const context = { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => ids }

function peer() {
  const app = httpApp({ logger: silent, context })
  app.all('/echo', async (c) =>
    c.json({ method: c.req.method, headers: c.req.header(), body: await c.req.text(), query: c.req.query() }),
  )
  app.get('/taken', () => {
    throw new MillraceError('append.claimed', 'taken', {
      details: { constraint: 'email', field: 'email' },
      errors: [{ field: 'email', message: 'is taken' }],
    })
  })
  app.get('/never', () => new Promise<Response>(() => undefined))
  app.get('/large', (c) => c.text('x'.repeat(2_000)))
  app.get('/text', (c) => c.text('not json'))
  app.get('/empty', (c) => c.body(null, 204))
  app.get('/proxy', (c) => c.text('Bad Gateway', 502))
  app.get('/odd', (c) =>
    c.json({ code: 'of.another-house', status: 418 }, 418, { 'content-type': 'application/problem+json' }),
  )
  app.get('/throws', () => {
    throw new Error('inside')
  })
  app.get('/slow', () => {
    throw new MillraceError('request.slow', 'The request did not arrive in time')
  })
  app.get('/guarded', bearerToken({ tokens: ['right'] }), (c) => c.json({}))
  return app
}

const inProcess = (options: { timeoutMs?: number; token?: string; maxAnswerBytes?: number } = {}) => {
  const app = peer()
  return serviceClient({ name: 'uniq', context, fetch: (request) => app.fetch(request), ...options })
}

const failure = async (call: Promise<unknown>): Promise<MillraceError> => {
  try {
    await call
  } catch (error) {
    if (error instanceof MillraceError) return error
    throw error
  }
  throw new Error('it did not fail')
}

describe('a call to another service', () => {
  it('carries correlation id, trace, token and idempotency key, and gives JSON back', async () => {
    const client = inProcess({ token: 'sesame' })
    const { body, status } = await client.json('/echo', {
      body: { a: 1 },
      idempotencyKey: 'k-1',
      query: { q: 'ü', absent: undefined },
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      method: 'POST',
      body: '{"a":1}',
      query: { q: 'ü' },
      headers: {
        'x-correlation-id': 'c-9',
        traceparent: ids.traceparent,
        authorization: 'Bearer sesame',
        'idempotency-key': 'k-1',
        'content-type': 'application/json',
      },
    })
  })

  it('throws the error of the peer again: code, status, details, field errors and text', async () => {
    const error = await failure(inProcess().json('/taken'))
    expect(error).toMatchObject({
      code: 'append.claimed',
      status: 409,
      message: 'taken',
      details: { constraint: 'email', field: 'email' },
      errors: [{ field: 'email', message: 'is taken' }],
    })
  })

  it('ends in time though the other side does not heed the signal', async () => {
    const error = await failure(inProcess({ timeoutMs: 30 }).json('/never'))
    expect(error).toMatchObject({
      code: 'service.unavailable',
      status: 503,
      retryable: true,
      details: { service: 'uniq', outcome: 'unknown' },
    })
    expect(error.message).toBe('uniq did not answer within 30 ms')
  })

  it("ends when the caller's signal says so", async () => {
    const gone = new AbortController()
    const call = failure(inProcess().json('/never', { signal: gone.signal }))
    gone.abort()
    expect(await call).toMatchObject({ code: 'service.unavailable' })
    expect(await failure(inProcess().json('/never', { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'service.unavailable',
    })
  })

  it('says that nothing was sent when nobody listens', async () => {
    const closed = await serveHttp(new Hono(), { port: 0 })
    await closed.stop()
    const error = await failure(serviceClient({ name: 'uniq', baseUrl: closed.url }).json('/echo'))
    expect(error).toMatchObject({
      code: 'service.unavailable',
      message: 'uniq cannot be reached (ECONNREFUSED)',
      details: { outcome: 'not-sent' },
    })
  })

  it('says that the outcome is unknown when the connection is cut before the answer', async () => {
    const cutting = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    cutting.listen(0, '127.0.0.1')
    await once(cutting, 'listening')
    const baseUrl = `http://127.0.0.1:${(cutting.address() as AddressInfo).port}`
    try {
      const error = await failure(serviceClient({ name: 'uniq', baseUrl }).json('/echo', { body: {} }))
      expect(error).toMatchObject({ code: 'service.unavailable', details: { outcome: 'unknown' } })
    } finally {
      cutting.close()
    }
  })

  it.each([
    ['/text', 'service.failed', 'uniq answered what is not JSON'],
    ['/odd', 'service.failed', 'uniq answered 418'],
    ['/proxy', 'service.unavailable', 'uniq answered 502'],
    ['/throws', 'internal', 'Give the correlation id to the operator.'],
    ['/nowhere', 'route.unknown', 'There is nothing at /nowhere'],
  ])('to %s ends in %s', async (path, code, message) => {
    expect(await failure(inProcess().json(path))).toMatchObject({ code, message })
  })

  it('takes no answer beyond its bound', async () => {
    expect(await failure(inProcess({ maxAnswerBytes: 1_000 }).json('/large'))).toMatchObject({
      code: 'service.failed',
    })
  })

  it('whose own token is refused is a fault of the service, not of its caller', async () => {
    expect(await failure(inProcess({ token: 'wrong' }).json('/guarded'))).toMatchObject({
      code: 'service.failed',
      status: 502,
      message: 'uniq refused the token of this service',
    })
    expect((await inProcess({ token: 'right' }).json('/guarded')).body).toEqual({})
  })

  it('that has read no whole request in time can be repeated: its caller was not too slow', async () => {
    expect(await failure(inProcess().json('/slow'))).toMatchObject({
      code: 'service.unavailable',
      status: 503,
      details: { service: 'uniq', outcome: 'not-sent' },
    })
  })

  it('without a body in its answer gives undefined', async () => {
    expect(await inProcess().json('/empty')).toMatchObject({ status: 204, body: undefined })
  })

  it('by fetch gives any answer as it is', async () => {
    expect((await inProcess().fetch('/taken')).status).toBe(409)
  })

  it('works over a real connection too', async () => {
    const server = await serveHttp(peer(), { port: 0 })
    try {
      const client = serviceClient({ name: 'uniq', baseUrl: server.url, context })
      expect((await client.json('/echo', { method: 'PATCH', body: [1] })).body).toMatchObject({
        method: 'PATCH',
        body: '[1]',
      })
      expect(await failure(client.json('/taken'))).toMatchObject({ code: 'append.claimed' })
    } finally {
      await server.stop()
    }
  })
})
