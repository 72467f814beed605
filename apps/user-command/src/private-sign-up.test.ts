import { describe, expect, test } from 'vitest'
import { ada, bearer, meetingBefore, openStand, type StandOptions } from './testing/stand.ts'

const hour = 3_600_000

/** A private stand that notes every step of its ports. */
function openPrivate(options: StandOptions = {}) {
  const steps: string[] = []
  const stand = openStand({
    privacy: 'private',
    aroundPasswords: (passwords) => ({
      ...passwords,
      hash: (...args) => {
        steps.push('hash')
        return passwords.hash(...args)
      },
    }),
    around: (uniq) => ({
      append: (...args) => {
        steps.push('append')
        return uniq.append(...args)
      },
      ownerOf: (constraint, values) => {
        steps.push(`ownerOf ${constraint}`)
        return uniq.ownerOf(constraint, values)
      },
    }),
    ...options,
  })
  const { log } = stand
  const readKey = log.readKey.bind(log)
  log.readKey = (...args) => {
    steps.push('readKey')
    return readKey(...args)
  }
  const types = async () => (await stand.events()).map(({ type }) => type).toSorted()
  return { ...stand, types, takeSteps: () => steps.splice(0) }
}

describe('a private sign-up', () => {
  test('answers alike and takes the same steps, whether or not the address has an account', async () => {
    const { send, takeSteps, types, pass } = openPrivate()
    const fresh = await send('POST', '/users', ada)
    const stepsOfFresh = takeSteps()
    const taken = await send('POST', '/users', { ...ada, username: 'Eve', email: ' ADA@example.org' })
    const stepsOfTaken = takeSteps()
    const again = await send('POST', '/users', ada)
    const stepsOfAgain = takeSteps()
    pass(hour)
    await send('POST', '/users', ada)
    expect(fresh.status).toBe(202)
    for (const other of [taken, again]) expect(other).toEqual({ ...fresh, headers: other.headers })
    const names = ({ headers }: typeof fresh) => [...headers.keys()]
    expect(names(taken)).toEqual(names(fresh))
    expect(stepsOfFresh).toEqual(['hash', 'append', 'ownerOf email', 'readKey', 'append'])
    for (const steps of [stepsOfTaken, stepsOfAgain, takeSteps()]) expect(steps).toEqual(stepsOfFresh)
    expect(await types()).toEqual(['AccountCreated', 'SignUpAttempted', 'SignUpAttempted'])
  })

  test('tells the owner on his own key, in his own letters, before it answers', async () => {
    const { send, events } = openPrivate()
    await send('POST', '/users', ada)
    await send('POST', '/users', { ...ada, email: 'ADA@EXAMPLE.ORG' }, { 'x-correlation-id': 'c-2' })
    const all = await events()
    const owner = all.find(({ type }) => type === 'AccountCreated')?.subject
    expect(all.find(({ type }) => type === 'SignUpAttempted')).toMatchObject({
      subject: owner,
      correlationid: 'c-2',
      data: { email: 'ada@example.org' },
    })
  })

  test('tells him at most once an hour, however many try at once', async () => {
    const { send, types, pass } = openPrivate()
    await send('POST', '/users', ada)
    const storm = () => Promise.all(Array.from({ length: 10 }, () => send('POST', '/users', ada)))
    const answers = await storm()
    expect(answers.every(({ status }) => status === 202)).toBe(true)
    expect(await types()).toEqual(['AccountCreated', 'SignUpAttempted'])
    pass(hour - 1)
    await storm()
    expect(await types()).toHaveLength(2)
    pass(1)
    await storm()
    expect(await types()).toHaveLength(3)
  })

  test('tells him once when two attempts meet, and nobody when it meets the closing of his account', async () => {
    const meeting = meetingBefore('SignUpAttempted')
    const { send, events, types, pass } = openPrivate(meeting)
    await send('POST', '/users', ada)
    meeting.set(() => send('POST', '/users', ada))
    expect((await send('POST', '/users', ada)).status).toBe(202)
    expect(await types()).toEqual(['AccountCreated', 'SignUpAttempted'])
    pass(hour)
    const session = await send('POST', '/sessions', { email: ada.email, password: ada.password })
    const [created] = await events()
    const me = bearer(session.body['token'])
    meeting.set(() => send('DELETE', `/users/${created?.subject}`, undefined, me))
    expect((await send('POST', '/users', ada)).status).toBe(202)
    expect(await types()).toEqual(['AccountClosed', 'AccountCreated', 'AccountCreated', 'SignUpAttempted'])
  })

  test('does not betray by an Idempotency-Key which of two bodies made an account', async () => {
    const { send, types } = openPrivate()
    const key = { 'idempotency-key': 'k-1' }
    const other = { ...ada, email: 'eve@example.org' }
    for (const body of [ada, other, ada, other])
      expect((await send('POST', '/users', body, key)).status).toBe(202)
    expect(await types()).toEqual(['AccountCreated', 'AccountCreated'])
  })

  test('still answers wrong fields', async () => {
    const { send } = openPrivate()
    expect((await send('POST', '/users', { ...ada, password: 'x' })).status).toBe(400)
  })

  test('says of a taken username the same, whether or not the address is taken too', async () => {
    const { send, takeSteps, types } = openPrivate({ usernames: 'unique' })
    await send('POST', '/users', ada)
    takeSteps()
    const freeAddress = await send('POST', '/users', { ...ada, email: 'eve@example.org' })
    const steps = takeSteps()
    const takenAddress = await send('POST', '/users', ada)
    expect(takeSteps()).toEqual(steps)
    expect(freeAddress).toMatchObject({ status: 409, body: { constraint: 'username', field: 'username' } })
    expect(takenAddress.body).toEqual({ ...freeAddress.body, correlationId: expect.any(String) })
    expect(await types()).toEqual(['AccountCreated'])
    expect((await send('POST', '/users', { ...ada, username: 'Eve' })).status).toBe(202)
  })

  test('makes an account of a freed address', async () => {
    const { send, events, types } = openPrivate()
    await send('POST', '/users', ada)
    const session = await send('POST', '/sessions', { email: ada.email, password: ada.password })
    const [created] = await events()
    await send('DELETE', `/users/${created?.subject}`, undefined, bearer(session.body['token']))
    await send('POST', '/users', ada)
    expect(await types()).toEqual(['AccountClosed', 'AccountCreated', 'AccountCreated'])
  })

  test('takes no less than its floor', async () => {
    const { send } = openPrivate({ limits: { answerFloorMs: 60 } })
    for (const body of [ada, ada]) {
      const from = performance.now()
      await send('POST', '/users', body)
      expect(performance.now() - from).toBeGreaterThanOrEqual(58)
    }
  })
})
