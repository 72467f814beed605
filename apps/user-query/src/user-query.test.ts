import { accounts, createSessionTokens } from '@millrace/accounts'
import { newEvent } from '@millrace/event'
import { createMemoryLog, formatPosition, parsePosition } from '@millrace/log'
import { createMemoryGroupStore } from '@millrace/processor'
import { rebuildView, type ViewStore } from '@millrace/view'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.ts'
import type { AccountRows } from './account-rows.ts'
import { accountView } from './account-view.ts'
import { createMemoryAccountView } from './memory-account-rows.ts'
import { openAccountView } from './postgres-account-rows.ts'
import { AccountScript, idsIn } from '../../../test/support/account-script.ts'
import { createUserQuery, type UserQuery, type UserQueryOptions } from './user-query.ts'

let server: TestPostgres
let schemas = 0
const closing: (() => Promise<void>)[] = []
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(async () => server.stop())
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const http = {
  logger: silent,
  context: { run: <T>(_ids: unknown, fn: () => T): T => fn(), current: () => undefined },
}
const sessions = createSessionTokens({ key: Buffer.alloc(32, 1) })

async function openPostgresView(): Promise<ViewStore<AccountRows>> {
  const view = await openAccountView({
    url: server.url,
    schema: `user_query_${++schemas}`,
    onError: () => undefined,
  })
  closing.push(() => view.close())
  return view
}

describe.each([
  ['memory', async () => createMemoryAccountView()],
  ['PostgreSQL', openPostgresView],
])('user-query with its view in %s', (_, openView) => {
  async function open(options: Partial<UserQueryOptions> = {}) {
    const log = createMemoryLog()
    const groups = createMemoryGroupStore({ log })
    const view = await openView()
    const service = createUserQuery({
      log,
      groups,
      view,
      sessions,
      tokens: ['sesame'],
      http,
      waitMs: 60_000,
      ...options,
    })
    await service.start()
    closing.push(() => service.stop())
    return { log, groups, view, service, script: new AccountScript(log), get: get(service) }
  }

  const get = (service: UserQuery) => async (path: string, token?: string) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const answer = await service.app.request(path, { headers })
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as unknown }
  }
  const sessionOf = async (accountId: string, passwordVersion = 1) =>
    (await sessions.issue({ accountId, passwordVersion })).token

  test('one reads one’s own write: the answer has the account as of the position', async () => {
    const { script, get: read } = await open()
    const after = await script.signUp('u1', 'Zoë@Bücher.example')
    const answer = await read(`/users/u1?after=${after}`, await sessionOf('u1'))
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      id: 'u1',
      username: 'Name of u1',
      email: 'Zoë@Bücher.example',
      activated: false,
      createdAt: '2026-03-01T12:00:00.000Z',
      version: 1,
    })
    expect(answer.headers.get('etag')).toBe('"1"')
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  test('every kind of event counts for the version; the address has to be confirmed again after a change', async () => {
    const { script, get: read } = await open()
    const token = await sessionOf('u1', 99)
    const seen: unknown[] = []
    const look = async (after: string) => {
      const { activated, email, version } = (await read(`/users/u1?after=${after}`, token)).body as never
      seen.push([activated, email, version])
    }
    await script.signUp('u1')
    await look(await script.append('AccountActivated', 'u1', { email: 'u1@example.org' }))
    await look(await script.append('EmailChanged', 'u1', { email: 'new@example.org' }))
    await look(await script.append('AccountActivated', 'u1', { email: 'u1@example.org' }))
    await look(await script.append('AccountActivated', 'u1', { email: 'new@example.org' }))
    await look(await script.append('ActivationRequested', 'u1', { email: 'new@example.org' }))
    await look(await script.append('SignUpAttempted', 'u1', { email: 'new@example.org' }))
    await look(await script.append('PasswordChanged', 'u1', { passwordHash: '$argon2id$y' }))
    expect(seen).toEqual([
      [true, 'u1@example.org', 2],
      [false, 'new@example.org', 3],
      [false, 'new@example.org', 4],
      [true, 'new@example.org', 5],
      [true, 'new@example.org', 6],
      [true, 'new@example.org', 7],
      [true, 'new@example.org', 8],
    ])
  })

  test('another’s account, an unknown and a closed one are 404; no session is 401', async () => {
    const { script, get: read } = await open()
    await script.signUp('u1')
    const closedAt = await script.append('AccountClosed', 'u1')
    expect((await read(`/users/u1?after=${closedAt}`, await sessionOf('u1'))).status).toBe(404)
    expect((await read('/users/u1', await sessionOf('u2'))).status).toBe(404)
    expect((await read('/users/u3', await sessionOf('u3'))).status).toBe(404)
    expect((await read('/users/u1')).status).toBe(401)
    expect((await read('/users/u1', 'nonsense')).status).toBe(401)
  })

  test('a session of a former password is 401, one of a password that the view does not have yet is not', async () => {
    const { script, get: read } = await open()
    await script.signUp('u1')
    const after = await script.append('PasswordChanged', 'u1', { passwordHash: '$argon2id$y' })
    expect((await read(`/users/u1?after=${after}`, await sessionOf('u1', 1))).status).toBe(401)
    expect((await read('/users/u1', await sessionOf('u1', 2))).status).toBe(200)
    expect((await read('/users/u1', await sessionOf('u1', 3))).status).toBe(200)
  })

  test('a position that the view does not reach in time is 504, one that is none is 400', async () => {
    const { script, get: read } = await open({ waitMs: 20 })
    const token = await sessionOf('u1')
    const { partition, id } = parsePosition(await script.signUp('u1'))
    const beyond = `accounts/${partition}/${id.split('-')[0]}-99`
    expect(await read(`/users/u1?after=${beyond}`, token)).toMatchObject({
      status: 504,
      body: { code: 'view.behind', position: beyond },
    })
    for (const wrong of ['nonsense', 'other/0/1-1', 'accounts/99/1-1'])
      expect(await read(`/users/u1?after=${wrong}`, token)).toMatchObject({
        status: 400,
        body: { code: 'position.invalid' },
      })
  })

  test('statistics count each sign-up once, by day and by host, for services only', async () => {
    const { script, get: read } = await open()
    await script.signUp('u1', 'a@one.example')
    const second = await script.signUp('u2', 'b@ONE.example')
    script.pass(86_400_000)
    const last = await script.signUp('u3', 'c@bücher.example')
    const closed = await script.append('AccountClosed', 'u1')
    for (const [id, after] of [
      ['u2', second],
      ['u3', last],
      ['u1', closed],
    ] as const)
      await read(`/users/${id}?after=${after}`, await sessionOf(id))
    expect((await read('/stats/sign-ups?by=day', 'sesame')).body).toEqual({
      by: 'day',
      counts: [
        { day: '2026-03-01', count: 2 },
        { day: '2026-03-02', count: 1 },
      ],
    })
    expect((await read('/stats/sign-ups?by=host', 'sesame')).body).toEqual({
      by: 'host',
      counts: [
        { host: 'one.example', count: 2 },
        { host: 'xn--bcher-kva.example', count: 1 },
      ],
    })
    expect((await read('/stats/sign-ups?by=day&limit=1', 'sesame')).body).toEqual({
      by: 'day',
      counts: [{ day: '2026-03-02', count: 1 }],
    })
    expect((await read('/stats/sign-ups?by=day')).status).toBe(401)
    expect((await read('/stats/sign-ups?by=name', 'sesame')).status).toBe(400)
  })

  test('an event that cannot be read becomes a dead letter, a type of a newer program passes, others go on', async () => {
    const { groups, script, get: read, service } = await open()
    const [first = '', second = ''] = idsIn(3, 2)
    await script.signUp(first)
    const draft = newEvent(accounts, { type: 'AccountClosed', key: first, data: {}, source: '/test' })
    await script.write({ ...draft, id: 'broken', type: 'EmailChanged', data: { email: 42 } })
    const newer = { ...draft, id: 'newer', type: 'AccountPainted', data: { colour: 'red' } }
    const painted = formatPosition(await script.write(newer))
    const after = await script.signUp(second)
    expect((await read(`/users/${second}?after=${after}`, await sessionOf(second))).status).toBe(200)
    // The broken one is not in the view; the one of an unknown type counts.
    const seen = await read(`/users/${first}?after=${painted}`, await sessionOf(first))
    expect(seen.body).toMatchObject({ version: 2 })
    expect(service.health()).toMatchObject({ state: 'ok' })
    await service.stop()
    const at = { topic: accounts, partition: 3, group: 'user-query' }
    expect(await groups.deadLetters(at)).toMatchObject([{ eventId: 'broken', reason: 'event.invalid' }])
    expect(await groups.look(at)).toMatchObject({ position: { seq: 4 } })
  })

  test('rebuilt whole or from a position, it is the same view', async () => {
    const { log, view, script, get: read } = await open()
    const ids = [...idsIn(2, 5), ...idsIn(1, 5)]
    for (const id of ids) await script.signUp(id, `${id}@${id.length}.example`)
    const half = (await log.read(accounts, new Map([[2, '0-0']]))).get(2)?.[3]?.position
    if (!half) throw new Error('The partition is too short')
    script.pass(86_400_000)
    let last = ''
    for (const id of ids) {
      await script.append('AccountActivated', id, { email: `${id}@${id.length}.example` })
      last = await script.append('EmailChanged', id, { email: `new-${id}@example.org` })
      await read(`/users/${id}?after=${last}`, await sessionOf(id))
    }
    const dump = async () => ({
      rows: await view.read((rows) => Promise.all(ids.map((id) => rows.get(id)))),
      day: await view.read((rows) => rows.signUps('day', 10)),
      host: await view.read((rows) => rows.signUps('host', 10)),
    })
    const before = await dump()
    await rebuildView({ view: accountView, store: view, log, from: half })
    expect(await dump()).toEqual(before)
    await rebuildView({ view: accountView, store: view, log })
    expect(await dump()).toEqual(before)
    const again = await script.append('AccountActivated', ids[0] ?? '', {
      email: `new-${ids[0]}@example.org`,
    })
    expect((await read(`/users/${ids[0]}?after=${again}`, await sessionOf(ids[0] ?? ''))).body).toMatchObject(
      {
        activated: true,
        version: 4,
      },
    )
  })
})
