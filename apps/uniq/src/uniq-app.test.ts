import { MillraceError, newEvent, topic } from '@millrace/event'
import { cloudEventOf } from '@millrace/hono'
import { type AppendResult, createMemoryLog } from '@millrace/log'
import { createKeyring, createUniq, readConstraints, type Uniq } from '@millrace/uniq'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createUniqApp } from './uniq-app.ts'
import { createUniqService } from './uniq-service.ts'

const people = topic('people', {
  placement: 'together',
  types: {
    Joined: z.strictObject({ email: z.string() }),
    Moved: z.strictObject({ email: z.string() }),
    Left: z.strictObject({}),
    Waved: z.strictObject({}),
  },
})
const constraints = readConstraints(
  {
    topic: 'people',
    constraints: [
      {
        name: 'email',
        normalise: ['email'],
        create: { Joined: ['email'] },
        change: { Moved: ['email'] },
        release: ['Left'],
      },
    ],
  },
  people,
)
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const context = { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined }

function open(around: (guard: Uniq) => Uniq = (guard) => guard) {
  const log = createMemoryLog()
  const keyring = createKeyring([{ version: '1', secret: Buffer.alloc(16, 1), normaliser: 1 }])
  const guard = around(createUniq({ log, topic: people, constraints, keyring }))
  const service = createUniqService({ guards: [guard], repeat: { waitMs: 1, timeoutMs: 60_000 } })
  const app = createUniqApp({ service, tokens: ['sesame'], http: { logger: silent, context } })
  const send = async (method: string, path: string, body: unknown, headers: Record<string, string> = {}) => {
    const answer = await app.request(path, {
      method,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/cloudevents+json', authorization: 'Bearer sesame', ...headers },
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const version = async (key: string) => (await log.readKey(people, key)).version
  return { log, service, send, version }
}

const event = (type: string, key: string, data: unknown = {}, id?: string) =>
  cloudEventOf(newEvent(people, { type, key, data, source: '/test', ...(id === undefined ? {} : { id }) }))
const joined = (key: string, email = 'anna@example.org', id?: string) => event('Joined', key, { email }, id)

describe('writes over HTTP', () => {
  test('claim, change and release, each by its method, and answer the position', async () => {
    const { send } = open()
    expect(await send('POST', '/events', joined('a'))).toEqual({
      status: 200,
      body: { status: 'appended', position: expect.stringMatching(/^people\/\d\/\d+-1$/), version: 1 },
    })
    const moved = event('Moved', 'a', { email: 'new@example.org' })
    expect((await send('PATCH', '/events', moved)).body).toMatchObject({ status: 'appended', version: 2 })
    expect((await send('DELETE', '/events', event('Left', 'a'))).body).toMatchObject({ version: 3 })
    await send('POST', '/events', joined('b', 'new@example.org'))
    expect(await send('POST', '/events/release', event('Left', 'b'))).toMatchObject({ status: 200 })
  })

  test('take events that no constraint names', async () => {
    const { send } = open()
    expect(await send('POST', '/events', event('Waved', 'a'))).toMatchObject({
      status: 200,
      body: { status: 'appended' },
    })
  })

  test('answer 409 with constraint and field, and nothing of the owner', async () => {
    const { send } = open()
    await send('POST', '/events', joined('the-owner'))
    const lost = await send('POST', '/events', joined('b', ' ANNA@example.org'))
    expect(lost).toMatchObject({ status: 409, body: { constraint: 'email', field: 'email' } })
    expect(JSON.stringify(lost.body)).not.toMatch(/the-owner|anna/i)
  })

  test('give a repeat its first position, whatever happened meanwhile', async () => {
    const { send, version } = open()
    const first = await send('POST', '/events', joined('a', undefined, 'e-1'))
    await send('PATCH', '/events', event('Moved', 'a', { email: 'new@example.org' }))
    await send('POST', '/events', joined('b'))
    const again = await send('POST', '/events', joined('a', undefined, 'e-1'))
    expect(again).toEqual({
      status: 200,
      body: { status: 'duplicate', position: first.body['position'] },
    })
    expect(await version('a')).toBe(2)
  })

  test('refuse a repeat with another fingerprint', async () => {
    const { send } = open()
    const send1 = (fingerprint: string) =>
      send('POST', '/events', joined('a', undefined, 'e-1'), { 'X-Fingerprint': fingerprint })
    expect((await send1('f-1')).status).toBe(200)
    expect((await send1('f-1')).status).toBe(200)
    expect(await send1('f-2')).toMatchObject({ status: 422, body: { code: 'append.fingerprint' } })
  })

  test('write nothing when nothing would change', async () => {
    const { send, version } = open()
    const first = await send('POST', '/events', joined('a'))
    expect(await send('PATCH', '/events', event('Moved', 'a', { email: 'Anna@EXAMPLE.org' }))).toEqual({
      status: 200,
      body: { status: 'unchanged', position: first.body['position'] },
    })
    expect(await version('a')).toBe(1)
  })

  test('demand the version that the caller saw', async () => {
    const { send } = open()
    await send('POST', '/events', joined('a'))
    const moved = event('Moved', 'a', { email: 'new@example.org' })
    expect(await send('PATCH', '/events', moved, { 'X-Expected-Version': '2' })).toMatchObject({
      status: 412,
      body: { version: 1 },
    })
    expect((await send('PATCH', '/events', moved, { 'X-Expected-Version': '1' })).status).toBe(200)
  })

  test('a late change after a release claims nothing', async () => {
    const { send, version } = open()
    await send('POST', '/events', joined('a'))
    await send('DELETE', '/events', event('Left', 'a'))
    expect(await send('PATCH', '/events', event('Moved', 'a', { email: 'late@example.org' }))).toMatchObject({
      status: 409,
      body: { code: 'append.not-owner' },
    })
    expect(await version('a')).toBe(2)
    expect(
      (await send('POST', '/claims/lookup', { constraint: 'email', values: ['late@example.org'] })).body,
    ).toEqual({
      owner: null,
    })
  })
})

describe('wrong requests', () => {
  test.each([
    ['POST', 'Moved', 'goes with PATCH'],
    ['POST', 'Left', 'goes with DELETE'],
    ['PATCH', 'Joined', 'goes with POST'],
    ['PATCH', 'Waved', 'goes with POST'],
    ['DELETE', 'Moved', 'goes with PATCH'],
  ])('%s of %s is answered with 400: %s', async (method, type, message) => {
    const { send, version } = open()
    const data = type === 'Left' || type === 'Waved' ? {} : { email: 'a@example.org' }
    expect(await send(method, '/events', event(type, 'a', data))).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'type', message }] },
    })
    expect(await version('a')).toBe(0)
  })

  test.each([
    ['no envelope', { hello: 1 }, 400, 'event.invalid'],
    ['no id', { ...joined('a'), id: undefined }, 400, 'event.invalid'],
    ['an unknown type', { ...joined('a'), type: 'Danced' }, 400, 'type.unknown'],
    ['data of another form', { ...joined('a'), data: { mail: 1 } }, 400, 'event.invalid'],
    ['a value without a normal form', joined('a', 'nowhere'), 400, 'event.invalid'],
    ['an array', [joined('a')], 400, 'event.invalid'],
  ])('%s: %#', async (_what, body, status, code) => {
    const { send } = open()
    expect(await send('POST', '/events', body)).toMatchObject({ status, body: { code } })
  })

  test('an unknown topic is 404, headers of a wrong form are 400, a missing token is 401', async () => {
    const { send } = open()
    const body = joined('a')
    expect((await send('POST', '/events?topic=people', body)).status).toBe(200)
    expect((await send('POST', '/events?topic=others', body)).status).toBe(404)
    expect((await send('POST', '/events', body, { 'X-Topic': 'others' })).status).toBe(404)
    expect((await send('POST', '/events', body, { 'X-Expected-Version': '-1' })).status).toBe(400)
    expect((await send('POST', '/events', body, { 'X-Fingerprint': 'é'.repeat(3) })).status).toBe(400)
    expect((await send('POST', '/events', body, { authorization: 'Bearer wrong' })).status).toBe(401)
  })

  test('a constraint that is not there is 400', async () => {
    const { send } = open()
    expect((await send('POST', '/claims/lookup', { constraint: 'shoe', values: ['x'] })).status).toBe(400)
  })
})

describe('when the log does not say what became of an append', () => {
  const failing = (times: number, code: 'append.unknown' | 'log.unavailable', after: boolean) => {
    let left = times
    return (guard: Uniq): Uniq => ({
      ...guard,
      append: async (units): Promise<readonly AppendResult[]> => {
        const results = after ? await guard.append(units) : []
        if (left-- > 0) throw new MillraceError(code)
        return after ? results : guard.append(units)
      },
    })
  }

  test('the same event is sent again, and is on the log once', async () => {
    const { send, version } = open(failing(2, 'append.unknown', true))
    expect(await send('POST', '/events', joined('a'))).toMatchObject({
      status: 200,
      body: { status: 'duplicate' },
    })
    expect(await version('a')).toBe(1)
  })

  test('it is 503 after so many times, and a later repeat gets the first answer', async () => {
    const { send, version } = open(failing(5, 'append.unknown', true))
    const body = joined('a', undefined, 'e-1')
    expect(await send('POST', '/events', body)).toMatchObject({
      status: 503,
      body: { code: 'append.unknown' },
    })
    expect((await send('POST', '/events', body)).body).toMatchObject({ status: 'duplicate' })
    expect(await version('a')).toBe(1)
  })

  test('a log that cannot be reached is 503 at once, with nothing written', async () => {
    const { send, version } = open(failing(1, 'log.unavailable', false))
    expect(await send('POST', '/events', joined('a'))).toMatchObject({
      status: 503,
      body: { code: 'log.unavailable' },
    })
    expect(await version('a')).toBe(0)
  })
})
