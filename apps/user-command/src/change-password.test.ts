import { describe, expect, test } from 'vitest'
import { openWithAccount } from './testing/signed-in.ts'
import { ada, bearer, meetingBefore, openStand } from './testing/stand.ts'

describe('POST /users/{id}/password', () => {
  const body = { current: ada.password, next: 'another battery' }

  test('changes the password, ends older sessions and opens a new one', async () => {
    const { send, me, path } = await openWithAccount()
    const changed = await send('POST', `${path}/password`, body, me)
    expect(changed).toMatchObject({ status: 200, body: { position: expect.stringMatching(/-2$/) } })
    const signIn = async (password: string) =>
      (await send('POST', '/sessions', { email: ada.email, password })).status
    expect(await signIn(body.next)).toBe(200)
    expect(await signIn(body.current)).toBe(401)
    expect((await send('PATCH', path, { email: 'b@example.org' }, me)).status).toBe(401)
    const fresh = bearer(changed.body['token'])
    expect((await send('PATCH', path, { email: 'b@example.org' }, fresh)).status).toBe(200)
  })

  test('refuses a wrong present password at its field, and limits the tries', async () => {
    const { send, me, path, events } = await openWithAccount({
      limits: { passwordChanges: { burst: 2, perSecond: 0.001 } },
    })
    const wrong = { ...body, current: 'not this one' }
    expect(await send('POST', `${path}/password`, wrong, me)).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'current', message: 'is not correct' }] },
    })
    await send('POST', `${path}/password`, wrong, me)
    expect((await send('POST', `${path}/password`, body, me)).status).toBe(429)
    expect(await events()).toHaveLength(1)
  })

  test('that meets a DELETE writes nothing', async () => {
    const meeting = meetingBefore('PasswordChanged')
    const { send, me, path, events } = await openWithAccount(meeting)
    meeting.set(() => send('DELETE', path, undefined, me))
    expect((await send('POST', `${path}/password`, body, me)).status).toBe(404)
    expect((await events()).map(({ type }) => type)).toEqual(['AccountCreated', 'AccountClosed'])
  })

  test('that meets itself, sent twice, writes once', async () => {
    const meeting = meetingBefore('PasswordChanged')
    const { send, me, path, events } = await openWithAccount(meeting)
    const key = { ...me, 'idempotency-key': 'k-1' }
    meeting.set(() => send('POST', `${path}/password`, body, key))
    expect((await send('POST', `${path}/password`, body, key)).status).toBe(200)
    expect(await events()).toHaveLength(2)
  })

  test('gives a repeat with its old session the first answer and a session that holds', async () => {
    const { send, me, path, events } = await openWithAccount()
    const key = { ...me, 'idempotency-key': 'k-1' }
    const first = await send('POST', `${path}/password`, body, key)
    const again = await send('POST', `${path}/password`, body, key)
    expect(again).toMatchObject({ status: 200, body: { position: first.body['position'] } })
    expect(await events()).toHaveLength(2)
    const fresh = bearer(again.body['token'])
    expect((await send('PATCH', path, { email: 'b@example.org' }, fresh)).status).toBe(200)
    expect((await send('POST', `${path}/password`, { ...body, next: 'a guess of Eve' }, key)).status).toBe(
      422,
    )
  })

  test('does not bring an old password back when a repeat comes after the log has forgotten the request', async () => {
    const { send, me, path, pass, events } = await openWithAccount()
    const key = { 'idempotency-key': 'k-1' }
    const first = await send('POST', `${path}/password`, body, { ...me, ...key })
    const second = { current: body.next, next: 'the newest battery' }
    await send('POST', `${path}/password`, second, bearer(first.body['token']))
    // The log remembers ids without claims for an hour, and turns its memory over when something is written.
    for (let turn = 0; turn < 3; turn++) {
      pass(3_600_000)
      await send('POST', '/activations/resend', { email: ada.email })
    }
    const before = await events()
    const session = await send('POST', '/sessions', { email: ada.email, password: second.next })
    const late = { ...bearer(session.body['token']), ...key }
    expect(await send('POST', `${path}/password`, body, late)).toMatchObject({
      status: 422,
      body: { code: 'append.fingerprint' },
    })
    expect(await events()).toEqual(before)
    expect((await send('POST', '/sessions', { email: ada.email, password: second.next })).status).toBe(200)
  })

  test('a repeated sign-up opens nothing after a change of password', async () => {
    const { send } = openStand()
    const key = { 'idempotency-key': 'k-1' }
    const made = await send('POST', '/users', ada, key)
    const path = `/users/${String(made.body['id'])}`
    await send('POST', `${path}/password`, body, bearer(made.body['token']))
    const again = await send('POST', '/users', ada, key)
    expect(again.status).toBe(201)
    const patched = await send('PATCH', path, { email: 'b@example.org' }, bearer(again.body['token']))
    expect(patched.status).toBe(401)
  })
})
