import type { Event } from '@millrace/event'
import { describe, expect, test } from 'vitest'
import { ada, bearer, meetingBefore, openStand, type StandOptions } from './testing/stand.ts'

const minute = 60_000

/** A stand with one account, and the links that mail would send. */
async function openWithAccount(options: StandOptions = {}) {
  const stand = openStand(options)
  const made = await stand.send('POST', '/users', ada)
  const id = String(made.body['id'])
  const latest = async (type: string): Promise<Event> => {
    const event = (await stand.events()).findLast((one) => one.type === type)
    if (!event) throw new Error(`there is no ${type}`)
    return event
  }
  const linkOf = async (type: string): Promise<string> =>
    (await stand.links.issue({ accountId: id, eventId: (await latest(type)).id })).token
  const state = async () => (await stand.account(id))?.state
  const activate = (token: string) => stand.send('POST', '/activations', { token })
  return { ...stand, made, id, me: bearer(made.body['token']), path: `/users/${id}`, linkOf, state, activate }
}

describe('POST /activations', () => {
  test('confirms the address, and again harmlessly', async () => {
    const { id, linkOf, activate, state, events } = await openWithAccount()
    const token = await linkOf('AccountCreated')
    const first = await activate(token)
    expect(first).toMatchObject({ status: 200, body: { id, position: expect.stringMatching(/-2$/) } })
    expect(await activate(token)).toMatchObject({ status: 200, body: first.body })
    expect(await state()).toBe('active')
    expect(await events()).toHaveLength(2)
  })

  test('writes once when two clicks meet', async () => {
    const meeting = meetingBefore('AccountActivated')
    const { linkOf, activate, events } = await openWithAccount(meeting)
    const token = await linkOf('AccountCreated')
    const answers: unknown[] = []
    meeting.set(async () => answers.push(await activate(token)))
    const second = await activate(token)
    const first = { id: second.body['id'], position: second.body['position'] }
    expect(answers).toMatchObject([{ status: 200, body: first }])
    expect(second.body['already']).toBe(true)
    expect(await events()).toHaveLength(2)
  })

  test('is 410 for an expired link, a former address and a closed account', async () => {
    const { send, me, path, linkOf, activate, state, pass } = await openWithAccount()
    const token = await linkOf('AccountCreated')
    await send('PATCH', path, { email: 'new@example.org' }, me)
    expect(await activate(token)).toMatchObject({ status: 410, body: { code: 'link.expired' } })
    const second = await linkOf('EmailChanged')
    expect((await activate(second)).status).toBe(200)
    expect(await state()).toBe('active')
    await send('DELETE', path, undefined, me)
    expect((await activate(second)).status).toBe(410)
    pass(48 * 60 * minute)
    expect((await activate(second)).status).toBe(410)
  })

  test('confirms a changed address like the first one', async () => {
    const { send, me, path, linkOf, activate, state } = await openWithAccount()
    await activate(await linkOf('AccountCreated'))
    await send('PATCH', path, { email: 'new@example.org' }, me)
    expect(await state()).toBe('pending')
    await activate(await linkOf('EmailChanged'))
    expect(await state()).toBe('active')
  })

  test('is 400 for what is no link, also for a session', async () => {
    const { activate, made } = await openWithAccount()
    for (const token of ['', 'nonsense', String(made.body['token']), 'x'.repeat(5_000)])
      expect(await activate(token)).toMatchObject({ status: 400, body: { errors: [{ field: 'token' }] } })
  })

  test('is 410 for a link to an event that is not of the account', async () => {
    const { activate, links, id } = await openWithAccount()
    const { token } = await links.issue({ accountId: id, eventId: 'another' })
    const stranger = await links.issue({ accountId: 'nobody', eventId: 'another' })
    expect((await activate(token)).status).toBe(410)
    expect((await activate(stranger.token)).status).toBe(410)
  })
})

describe('POST /users/{id}/activation', () => {
  test('asks for another link, once a minute and five times a day', async () => {
    const { send, me, path, pass, events, linkOf, activate } = await openWithAccount()
    const ask = async () => (await send('POST', `${path}/activation`, undefined, me)).status
    expect(await ask()).toBe(429)
    pass(minute)
    expect(await ask()).toBe(202)
    const limited = await send('POST', `${path}/activation`, undefined, me)
    expect(limited.headers.get('retry-after')).toBe('60')
    for (let turn = 0; turn < 3; turn++) {
      pass(minute)
      expect(await ask()).toBe(202)
    }
    pass(minute)
    expect(await ask()).toBe(429)
    expect((await events()).filter(({ type }) => type === 'ActivationRequested')).toHaveLength(4)
    expect((await activate(await linkOf('ActivationRequested'))).status).toBe(200)
  })

  test('writes nothing when the address is confirmed, or when the request is a repeat', async () => {
    const { send, me, path, pass, events, linkOf, activate } = await openWithAccount()
    pass(minute)
    const key = { ...me, 'idempotency-key': 'k-1' }
    for (let turn = 0; turn < 3; turn++)
      expect((await send('POST', `${path}/activation`, undefined, key)).status).toBe(202)
    expect(await events()).toHaveLength(2)
    await activate(await linkOf('AccountCreated'))
    pass(minute)
    expect((await send('POST', `${path}/activation`, undefined, me)).status).toBe(202)
    expect(await events()).toHaveLength(3)
  })
})

describe('POST /activations/resend', () => {
  test('is 202 for any address, and writes for one that waits to be confirmed', async () => {
    const { send, pass, events, linkOf, activate } = await openWithAccount()
    const ask = (email: string) => send('POST', '/activations/resend', { email })
    const soon = await ask(ada.email)
    const unknown = await ask('nobody@example.org')
    expect([soon.status, unknown.status]).toEqual([202, 202])
    expect(unknown.body).toEqual(soon.body)
    expect(await events()).toHaveLength(1)
    pass(minute)
    expect((await ask(' ADA@example.org')).body).toEqual(soon.body)
    expect(await events()).toHaveLength(2)
    await activate(await linkOf('ActivationRequested'))
    pass(minute)
    expect((await ask(ada.email)).body).toEqual(soon.body)
    expect(await events()).toHaveLength(3)
  })

  test('is limited by address, whether it has an account or not', async () => {
    const { send } = await openWithAccount({ limits: { resends: { burst: 1, perSecond: 0.001 } } })
    for (const email of [ada.email, 'nobody@example.org']) {
      expect((await send('POST', '/activations/resend', { email })).status).toBe(202)
      expect((await send('POST', '/activations/resend', { email: email.toUpperCase() })).status).toBe(429)
    }
  })
})
