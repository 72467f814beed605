import { describe, expect, test } from 'vitest'
import { openWithAccount } from './testing/signed-in.ts'
import { ada, bearer, meetingBefore, openStand } from './testing/stand.ts'

describe('POST /sessions', () => {
  test('opens a session before activation too, and says which it is', async () => {
    const { send, id } = await openWithAccount()
    const answer = await send('POST', '/sessions', { email: ' ADA@example.org', password: ada.password })
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      token: expect.any(String),
      expiresAt: '2026-03-01T12:15:00.000Z',
      account: { id, activated: false },
    })
  })

  test('refuses an unknown address and a wrong password alike, with one hash each', async () => {
    let hashes = 0
    const { send } = await openWithAccount({
      aroundPasswords: (passwords) => ({
        ...passwords,
        verify: (...args) => {
          hashes += 1
          return passwords.verify(...args)
        },
      }),
    })
    const wrong = await send('POST', '/sessions', { email: ada.email, password: 'wrong password' })
    const unknown = await send('POST', '/sessions', { email: 'eve@example.org', password: 'wrong password' })
    expect(hashes).toBe(2)
    expect(wrong.status).toBe(401)
    expect(unknown.status).toBe(401)
    expect(unknown.body).toEqual({ ...wrong.body, correlationId: expect.any(String) })
  })

  test('refuses the address of a closed account', async () => {
    const { send, me, path } = await openWithAccount()
    await send('DELETE', path, undefined, me)
    expect((await send('POST', '/sessions', { email: ada.email, password: ada.password })).status).toBe(401)
  })

  test('limits tries by address, whether it has an account or not, in whatever letters', async () => {
    const { send } = await openWithAccount({ limits: { signIns: { burst: 2, perSecond: 0.001 } } })
    for (const email of [ada.email, 'eve@example.org']) {
      const tries = []
      for (const spelling of [email, email.toUpperCase(), ` ${email}`])
        tries.push((await send('POST', '/sessions', { email: spelling, password: 'wrong' })).status)
      expect(tries).toEqual([401, 401, 429])
    }
  })
})

describe('PATCH /users/{id}', () => {
  test('claims the new address, frees the old one, and answers position and ETag', async () => {
    const { send, id, me, path } = await openWithAccount()
    const changed = await send(
      'PATCH',
      path,
      { email: 'new@example.org' },
      { ...me, 'x-correlation-id': 'c-2' },
    )
    expect(changed.status).toBe(200)
    expect(changed.body).toEqual({ id, position: expect.stringMatching(/-2$/), correlationId: 'c-2' })
    expect(changed.headers.get('etag')).toBe('"2"')
    expect((await send('POST', '/users', ada)).status).toBe(201)
    expect((await send('POST', '/users', { ...ada, email: 'NEW@example.org' })).status).toBe(409)
  })

  test('to the address that it has succeeds and writes nothing', async () => {
    const { send, me, path, made, events } = await openWithAccount()
    const same = await send('PATCH', path, { email: 'ADA@example.org' }, me)
    expect(same).toMatchObject({ status: 200, body: { position: made.body['position'] } })
    expect(same.headers.get('etag')).toBe('"1"')
    expect(await events()).toHaveLength(1)
  })

  test("to another's address is 409, and the own one is kept", async () => {
    const { send, me, path } = await openWithAccount()
    await send('POST', '/users', { ...ada, email: 'eve@example.org' })
    expect(await send('PATCH', path, { email: 'Eve@example.org' }, me)).toMatchObject({
      status: 409,
      body: { constraint: 'email', field: 'email' },
    })
    expect((await send('POST', '/users', ada)).status).toBe(409)
  })

  test('heeds If-Match', async () => {
    const { send, me, path } = await openWithAccount()
    const patch = (email: string, match: string) =>
      send('PATCH', path, { email }, { ...me, 'if-match': match })
    expect(await patch('b@example.org', '"2"')).toMatchObject({ status: 412, body: { version: 1 } })
    expect((await patch('b@example.org', 'W/"1"')).status).toBe(412)
    expect((await patch('b@example.org', '1')).status).toBe(400)
    expect((await patch('b@example.org', '"9", "1"')).status).toBe(200)
    expect((await patch('c@example.org', '"1"')).status).toBe(412)
    expect((await patch('c@example.org', '*')).status).toBe(200)
  })

  test('of another account, of none and without a token: 404, 404, 401', async () => {
    const { send, me } = await openWithAccount()
    const eve = await send('POST', '/users', { ...ada, email: 'eve@example.org' })
    const body = { email: 'x@example.org' }
    expect((await send('PATCH', `/users/${String(eve.body['id'])}`, body, me)).status).toBe(404)
    expect((await send('PATCH', '/users/nobody', body, me)).status).toBe(404)
    expect((await send('PATCH', '/users/nobody', body)).status).toBe(401)
    expect((await send('PATCH', '/users/nobody', body, bearer('wrong'))).status).toBe(401)
  })

  test('with an Idempotency-Key gets its first answer after the address has moved on', async () => {
    const { send, me, path, events } = await openWithAccount()
    const key = { ...me, 'idempotency-key': 'k-1' }
    const first = await send(
      'PATCH',
      path,
      { email: 'b@example.org' },
      { ...key, 'x-correlation-id': 'c-first' },
    )
    await send('PATCH', path, { email: 'c@example.org' }, me)
    const again = await send('PATCH', path, { email: 'b@example.org' }, key)
    expect(again).toMatchObject({ status: 200, body: first.body })
    expect(again.headers.get('etag')).toBe('"2"')
    expect(await send('PATCH', path, { email: 'd@example.org' }, key)).toMatchObject({ status: 422 })
    expect(await events()).toHaveLength(3)
  })

  test('that comes late, after DELETE, claims nothing and writes nothing', async () => {
    const { send, me, path, events } = await openWithAccount()
    await send('DELETE', path, undefined, me)
    expect((await send('PATCH', path, { email: 'late@example.org' }, me)).status).toBe(404)
    expect(await events()).toHaveLength(2)
    expect((await send('POST', '/users', { ...ada, email: 'late@example.org' })).status).toBe(201)
  })

  test('that meets a DELETE between its reading and its writing claims nothing either', async () => {
    const meeting = meetingBefore('EmailChanged')
    const { send, me, path, events } = await openWithAccount(meeting)
    meeting.set(() => send('DELETE', path, undefined, me))
    expect((await send('PATCH', path, { email: 'late@example.org' }, me)).status).toBe(404)
    expect((await events()).map(({ type }) => type)).toEqual(['AccountCreated', 'AccountClosed'])
  })

  test('with If-Match that meets another change is 412; without, it is the later one', async () => {
    const meeting = meetingBefore('EmailChanged')
    const { send, me, path, account, id } = await openWithAccount(meeting)
    const meet = (email: string) => meeting.set(() => send('PATCH', path, { email }, me))
    meet('b@example.org')
    const headers = { ...me, 'if-match': '"1"' }
    expect((await send('PATCH', path, { email: 'c@example.org' }, headers)).status).toBe(412)
    meet('d@example.org')
    const later = await send('PATCH', path, { email: 'e@example.org' }, me)
    expect(later.status).toBe(200)
    expect(later.headers.get('etag')).toBe('"4"')
    expect(await account(id)).toMatchObject({ email: 'e@example.org', version: 4 })
  })

  test('is limited by account', async () => {
    const { send, me, path } = await openWithAccount({ limits: { changes: { burst: 1, perSecond: 0.001 } } })
    expect((await send('PATCH', path, { email: 'b@example.org' }, me)).status).toBe(200)
    const limited = await send('PATCH', path, { email: 'c@example.org' }, me)
    expect(limited.status).toBe(429)
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})

describe('DELETE /users/{id}', () => {
  test('closes the account and frees its address', async () => {
    const { send, me, path, id } = await openWithAccount()
    const closed = await send('DELETE', path, undefined, me)
    expect(closed).toMatchObject({ status: 200, body: { id, position: expect.stringMatching(/-2$/) } })
    const back = await send('POST', '/users', ada)
    expect(back.status).toBe(201)
    expect(back.body['id']).not.toBe(id)
  })

  test('gives a repeat with the same Idempotency-Key its first position, and 404 to any other', async () => {
    const { send, me, path, events } = await openWithAccount()
    const key = { ...me, 'idempotency-key': 'k-1' }
    const first = await send('DELETE', path, undefined, key)
    expect(await send('DELETE', path, undefined, key)).toMatchObject({ status: 200, body: first.body })
    expect((await send('DELETE', path, undefined, me)).status).toBe(404)
    expect((await send('DELETE', path, undefined, { ...me, 'idempotency-key': 'k-2' })).status).toBe(404)
    expect(await events()).toHaveLength(2)
  })
})

test('a sign-up that is repeated after its address has moved on gets its first answer', async () => {
  const { send, events } = openStand()
  const key = { 'idempotency-key': 'k-1' }
  const first = await send('POST', '/users', ada, key)
  const { id, position, correlationId, token } = first.body
  await send('PATCH', `/users/${String(id)}`, { email: 'new@example.org' }, bearer(token))
  await send('POST', '/users', { ...ada, username: 'Eve' })
  expect(await send('POST', '/users', ada, key)).toMatchObject({
    status: 201,
    body: { id, position, correlationId },
  })
  expect(await events()).toHaveLength(3)
})

test('a session ends after 15 minutes', async () => {
  const { send, me, path, pass } = await openWithAccount()
  pass(15 * 60_000)
  expect((await send('DELETE', path, undefined, me)).status).toBe(401)
})
