import { accounts } from '@millrace/accounts'
import { MillraceError, newEvent } from '@millrace/event'
import { problemOf, problemType, serviceClient } from '@millrace/hono'
import { describe, expect, test } from 'vitest'
import { uniqOverHttp } from './uniq-over-http.ts'

const event = newEvent(accounts, { type: 'AccountClosed', key: 'a-1', data: {}, id: 'e-1', source: '/test' })
const position = 'accounts/3/1700000000000-42'

/** A peer that gives these answers, one after the other, and notes what it was asked. */
function peer(...answers: readonly (object | MillraceError | 'cut' | 'refused')[]) {
  const asked: { method: string; url: string; headers: Headers; body: unknown }[] = []
  const fetch = async (request: Request): Promise<Response> => {
    const answer = answers[Math.min(asked.length, answers.length - 1)]
    const { method, url, headers } = request
    asked.push({ method, url, headers, body: await request.json() })
    if (answer === 'cut') throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
    if (answer === 'refused') throw Object.assign(new Error('nobody there'), { code: 'ECONNREFUSED' })
    if (answer instanceof MillraceError)
      return Response.json(problemOf(answer, { instance: '/events' }), {
        status: answer.status,
        headers: { 'content-type': problemType },
      })
    return Response.json(answer)
  }
  const client = serviceClient({ name: 'uniq', fetch, timeoutMs: 60_000 })
  const uniq = uniqOverHttp({ client, repeat: { waitMs: 1, timeoutMs: 60_000 } })
  return { uniq, asked }
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'fine',
    (error: unknown) => (error instanceof MillraceError ? error.code : error),
  )

describe('uniq over HTTP', () => {
  test('sends the event as a CloudEvent by the method of its action, with what goes with it', async () => {
    const { uniq, asked } = peer({ status: 'appended', position, version: 3 })
    const answer = await uniq.append('change', event, { fingerprint: 'f-1', expectedVersion: 2 })
    expect(answer).toEqual({
      status: 'appended',
      version: 3,
      position: { topic: 'accounts', partition: 3, id: '1700000000000-42', seq: 42 },
    })
    await uniq.append('release', event)
    expect(
      asked.map(({ method, url }) => `${method} ${new URL(url).pathname}${new URL(url).search}`),
    ).toEqual(['PATCH /events?topic=accounts', 'POST /events/release?topic=accounts'])
    expect(asked[0]?.headers.get('x-fingerprint')).toBe('f-1')
    expect(asked[0]?.headers.get('x-expected-version')).toBe('2')
    expect(asked[0]?.body).toMatchObject({ specversion: '1.0', id: 'e-1', subject: 'a-1' })
  })

  test('sends the same event again when the connection was cut', async () => {
    const { uniq, asked } = peer('cut', 'refused', { status: 'duplicate', position })
    expect(await uniq.append('create', event)).toMatchObject({ status: 'duplicate' })
    expect(asked.map(({ body }) => body)).toEqual([asked[0]?.body, asked[0]?.body, asked[0]?.body])
  })

  test('does not wait when nobody is there', async () => {
    const { uniq, asked } = peer('refused')
    expect(await codeOf(uniq.append('create', event))).toBe('service.unavailable')
    expect(asked).toHaveLength(1)
  })

  test('ends in append.unknown when it stays cut', async () => {
    const { uniq, asked } = peer('cut')
    expect(await codeOf(uniq.append('create', event))).toBe('append.unknown')
    expect(asked).toHaveLength(4)
  })

  test('throws the refusals of the other side with their details', async () => {
    const lost = new MillraceError('append.claimed', 'The email is taken', {
      details: { constraint: 'email', field: 'email' },
    })
    await expect(peer(lost).uniq.append('create', event)).rejects.toMatchObject({
      code: 'append.claimed',
      details: { constraint: 'email', field: 'email' },
    })
  })

  test('asks for an owner with the value in the body', async () => {
    const { uniq, asked } = peer({ owner: 'a-1' }, { owner: null })
    expect(await uniq.ownerOf('email', ['ada@example.org'])).toBe('a-1')
    expect(await uniq.ownerOf('email', ['eve@example.org'])).toBeUndefined()
    expect(asked[0]?.url).not.toContain('ada')
    expect(asked[0]?.body).toEqual({ topic: 'accounts', constraint: 'email', values: ['ada@example.org'] })
  })

  test('does not take an answer of another form', async () => {
    expect(await codeOf(peer({ status: 'done' }).uniq.append('create', event))).toBe('service.failed')
    expect(await codeOf(peer({ status: 'appended', position: '7' }).uniq.append('create', event))).toBe(
      'service.failed',
    )
    expect(await codeOf(peer({}).uniq.ownerOf('email', ['x']))).toBe('service.failed')
  })
})
