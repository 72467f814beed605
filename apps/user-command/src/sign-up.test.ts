import { MillraceError } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import { ada, openStand } from './testing/stand.ts'

describe('POST /users', () => {
  test('answers 201 with id, position, correlation id, token and Location, and the event is on the log', async () => {
    const { send, events } = openStand()
    const made = await send('POST', '/users', ada, { 'x-correlation-id': 'c-1' })
    expect(made.status).toBe(201)
    expect(made.body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      position: expect.stringMatching(/^accounts\/\d\/\d+-1$/),
      correlationId: 'c-1',
      token: expect.any(String),
      expiresAt: '2026-03-01T12:15:00.000Z',
    })
    expect(made.headers.get('location')).toBe(`/users/${String(made.body['id'])}`)
    expect(made.headers.get('cache-control')).toBe('no-store')
    expect(await events()).toMatchObject([
      {
        type: 'AccountCreated',
        subject: made.body['id'],
        correlationid: 'c-1',
        actor: made.body['id'],
        data: {
          username: 'Ada',
          email: 'ada@example.org',
          passwordHash: expect.stringMatching(/^\$argon2id\$/),
        },
      },
    ])
  })

  test('answers all wrong fields at once', async () => {
    const { send, events } = openStand()
    const refused = await send('POST', '/users', { username: ' ', email: 'nowhere', password: 'short' })
    expect(refused.status).toBe(400)
    expect(refused.body).toMatchObject({
      code: 'request.invalid',
      errors: [
        { field: 'username', message: 'is needed' },
        { field: 'email', message: 'The address has no @' },
        { field: 'password', message: 'has fewer than 8 characters' },
      ],
    })
    expect(await events()).toEqual([])
  })

  test('answers 409 with constraint and field, and nothing of the owner, to the address in other letters', async () => {
    const { send, events } = openStand()
    await send('POST', '/users', ada)
    const lost = await send('POST', '/users', { ...ada, username: 'Eve', email: ' ADA@Example.ORG ' })
    expect(lost.status).toBe(409)
    expect(lost.body).toMatchObject({ code: 'append.claimed', constraint: 'email', field: 'email' })
    expect(JSON.stringify(lost.body)).not.toMatch(/ada|[0-9a-f]{8}-[0-9a-f]{4}-8/i)
    expect(await events()).toHaveLength(1)
  })

  test('lets usernames repeat, unless the configuration says otherwise', async () => {
    const second = { ...ada, username: ' ADA ', email: 'other@example.org' }
    const shared = openStand()
    await shared.send('POST', '/users', ada)
    expect((await shared.send('POST', '/users', second)).status).toBe(201)
    const unique = openStand({ usernames: 'unique' })
    await unique.send('POST', '/users', ada)
    expect(await unique.send('POST', '/users', second)).toMatchObject({
      status: 409,
      body: { constraint: 'username', field: 'username' },
    })
  })

  test.each([
    ['{"username":"\\ud800","email":"a@b.org","password":"correct horse"}', 'json.invalid'],
    ['{"username":"Ada","email":"\\udc00@b.org","password":"correct horse"}', 'json.invalid'],
    ['{"username":"Ada","email":"a@b.org","password":"correct \\ud83d"}', 'json.invalid'],
    ['{"\\ud800":1}', 'json.invalid'],
    ['{"username":"Ada\\u0000","email":"a@b.org","password":"correct horse"}', 'json.invalid'],
    ['{"__proto__":{},"username":"Ada"}', 'json.invalid'],
    ['not json', 'json.invalid'],
    ['[]', 'request.invalid'],
    ['null', 'request.invalid'],
    ['"text"', 'request.invalid'],
    ['{"username":["Ada"],"email":{"a":1},"password":7}', 'request.invalid'],
    ['{"username":"Ada","email":"a@b.org","password":"correct horse","admin":true}', 'request.invalid'],
  ])('answers 400 to %s', async (body, code) => {
    const { send, events } = openStand()
    expect(await send('POST', '/users', body)).toMatchObject({ status: 400, body: { code } })
    expect(await events()).toEqual([])
  })

  test.each(['simple@example.org', "o'brien+tag@example.co.uk", 'jörg@exämple.org', '用户@例え.jp'])(
    'takes the address %j',
    async (email) => {
      const { send } = openStand()
      expect((await send('POST', '/users', { ...ada, email })).status).toBe(201)
    },
  )

  test.each([
    '"quoted"@example.org',
    '"a@b"@example.org',
    'a(comment)@example.org',
    'a@example.org(comment)',
    'a@[127.0.0.1]',
    'a@[IPv6:::1]',
    'a@127.0.0.1',
    'a\u0007@example.org',
    'a\r\nBcc: b@example.org',
    'a@b@example.org',
    '.a@example.org',
    'a..b@example.org',
    'a@-example.org',
    'a@localhost',
    `${'x'.repeat(65)}@example.org`,
    `a@${'x'.repeat(64)}.org`,
    `a@${'x.'.repeat(200)}org`,
    'a\u202e@example.org',
    '@',
    '',
  ])('refuses the address %j with a sentence at its field', async (email) => {
    const { send } = openStand()
    expect(await send('POST', '/users', { ...ada, email })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'email', message: expect.stringMatching(/^[A-Z].* /) }] },
    })
  })
})

describe('POST /users with an Idempotency-Key', () => {
  const key = { 'idempotency-key': 'k-1' }

  test('gives a repeat its first answer: same id, position and correlation id, and one event', async () => {
    const { send, events } = openStand()
    const first = await send('POST', '/users', ada, { ...key, 'x-correlation-id': 'c-first' })
    const again = await send(
      'POST',
      '/users',
      { ...ada, email: ' ada@example.org' },
      { ...key, 'x-correlation-id': 'c-again' },
    )
    expect(again.status).toBe(201)
    const { id, position } = first.body
    expect(again.body).toMatchObject({ id, position, correlationId: 'c-first' })
    expect(again.headers.get('x-correlation-id')).toBe('c-again')
    expect(await events()).toHaveLength(1)
  })

  test('refuses another body with 422', async () => {
    const { send, events } = openStand()
    await send('POST', '/users', ada, key)
    for (const change of [
      { password: 'another password' },
      { username: 'Eve' },
      { email: 'eve@example.org' },
    ])
      expect(await send('POST', '/users', { ...ada, ...change }, key)).toMatchObject({
        status: 422,
        body: { code: 'append.fingerprint' },
      })
    expect(await events()).toHaveLength(1)
  })

  test('judges a refusal afresh', async () => {
    const { send } = openStand()
    expect((await send('POST', '/users', { ...ada, email: 'x' }, key)).status).toBe(400)
    expect((await send('POST', '/users', ada, key)).status).toBe(201)
  })

  test('makes one account of many at once', async () => {
    const { send, events } = openStand()
    const answers = await Promise.all(Array.from({ length: 20 }, () => send('POST', '/users', ada, key)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 201))
    expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(1)
    expect(await events()).toHaveLength(1)
  })

  test.each(['', 'a b', 'é', 'x'.repeat(201)])('refuses the key %j with 400', async (value) => {
    const { send } = openStand()
    const headers = { 'idempotency-key': value }
    expect(await send('POST', '/users', ada, headers)).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'Idempotency-Key' }] },
    })
  })
})

describe('POST /users when something behind it fails', () => {
  test('answers 503 when Uniq cannot be reached, and a repeat makes the account', async () => {
    let up = false
    const down = new MillraceError('service.unavailable', 'uniq cannot be reached', {
      details: { service: 'uniq', outcome: 'not-sent' },
    })
    const { send, events } = openStand({
      around: (uniq) => ({
        ...uniq,
        append: (...args) => (up ? uniq.append(...args) : Promise.reject(down)),
      }),
    })
    const key = { 'idempotency-key': 'k-1' }
    expect(await send('POST', '/users', ada, key)).toMatchObject({
      status: 503,
      body: { code: 'service.unavailable' },
    })
    up = true
    expect((await send('POST', '/users', ada, key)).status).toBe(201)
    expect(await events()).toHaveLength(1)
  })

  test('answers 503 when nobody knows whether it was written, and a repeat gets the first account', async () => {
    let cut = true
    const { send, events } = openStand({
      around: (uniq) => ({
        ...uniq,
        append: async (...args) => {
          const answer = await uniq.append(...args)
          if (cut) throw new MillraceError('append.unknown')
          return answer
        },
      }),
    })
    const key = { 'idempotency-key': 'k-1', 'x-correlation-id': 'c-first' }
    expect(await send('POST', '/users', ada, key)).toMatchObject({
      status: 503,
      body: { code: 'append.unknown' },
    })
    cut = false
    const again = await send('POST', '/users', ada, { ...key, 'x-correlation-id': 'c-again' })
    expect(again).toMatchObject({ status: 201, body: { correlationId: 'c-first' } })
    expect(await events()).toHaveLength(1)
  })

  test('answers 503 in time when Uniq does not answer', async () => {
    const { send } = openStand({
      limits: { requestMs: 30 },
      around: (uniq) => ({ ...uniq, append: () => new Promise(() => undefined) }),
    })
    expect(await send('POST', '/users', ada)).toMatchObject({
      status: 503,
      body: { code: 'request.overdue' },
    })
  })
})

test('a password is nowhere on the log and in no log line', async () => {
  const { send, events, lines } = openStand()
  const password = 'Zaubertrank-7-Zaubertrank'
  await send('POST', '/users', { ...ada, password }, { 'idempotency-key': 'k-1' })
  await send('POST', '/users', { ...ada, password: 'Zaubert' })
  await send('POST', '/sessions', { email: ada.email, password })
  await send('POST', '/sessions', { email: ada.email, password: `${password}!` })
  await send('POST', '/users', `{"password":"${password}"`)
  expect(lines.length).toBeGreaterThan(0)
  expect(JSON.stringify([await events(), lines])).not.toContain('Zaubert')
})
