import { accounts } from '@millrace/accounts'
import { newEvent } from '@millrace/event'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CutProxy } from '../support/cut-proxy.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { type Answer, call, eventsOf, inTurn, Started } from './system.ts'

const ada = { username: 'Ada', email: 'ada@example.org', password: 'Zaubertrank-7-Zaubertrank' }

let redis: TestRedis
let started: Started

beforeEach(async () => {
  redis = await startRedis({ appendonly: true })
  started = new Started()
})

afterEach(async () => {
  await started.stop()
  await redis.stop()
})

/** As an honest visitor: a hundred at once may be more than a busy machine does within the limit of a request. */
async function answered(url: string, body: object, key: string): Promise<Answer> {
  for (;;) {
    const answer = await call(url, 'POST', body, { 'idempotency-key': key })
    if (answer.status !== 503 && answer.status !== 408) return answer
  }
}

const portOf = (url: string): number => Number(new URL(url).port)

describe('sign-up over Redis and real sockets', () => {
  test('of 100 at once with one address over three instances of Uniq, one is 201 and ninety-nine are 409', async () => {
    const clients = []
    for (let instance = 0; instance < 3; instance++)
      clients.push(started.uniqClient(await started.uniq(await started.log(redis.url))))
    const log = await started.log(redis.url)
    const base = await started.userCommand(inTurn(clients), log)
    const spellings = ['ada@example.org', 'ADA@Example.org', ' ada@EXAMPLE.ORG', 'Ada@example.ORG']
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_unused, at) =>
        answered(`${base}/users`, { ...ada, email: spellings[at % spellings.length] }, `k-${at}`),
      ),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    const lost = answers.filter(({ status }) => status === 409)
    expect(lost).toHaveLength(99)
    for (const { body } of lost) expect(body).toMatchObject({ constraint: 'email', field: 'email' })
    const events = await eventsOf(log)
    expect(events.map(({ type }) => type)).toEqual(['AccountCreated'])
  })

  test('works the same with Uniq in the same process', async () => {
    const log = await started.log(redis.url)
    const base = await started.userCommand(started.uniqCore(log).of('accounts'), log)
    const made = await call(`${base}/users`, 'POST', ada)
    expect(made.status).toBe(201)
    expect((await call(`${base}/users`, 'POST', { ...ada, email: 'ADA@example.org' })).status).toBe(409)
    expect(
      (await call(`${base}/sessions`, 'POST', { email: ada.email, password: ada.password })).status,
    ).toBe(200)
  })

  test('a connection that is cut between request and answer of Uniq: one account, and the client does not notice', async () => {
    const log = await started.log(redis.url)
    const proxy = await CutProxy.open(await started.uniq(log))
    started.keep(proxy, () => proxy.close())
    const base = await started.userCommand(started.uniqClient(proxy.port), log)
    proxy.cutNextAnswer()
    const made = await call(`${base}/users`, 'POST', ada)
    expect(proxy.cuts).toBe(1)
    expect(made.status).toBe(201)
    const events = await eventsOf(log)
    expect(events).toHaveLength(1)
    expect(made.body).toMatchObject({ id: events[0]?.subject, correlationId: events[0]?.correlationid })
  })

  test('a connection that is cut between request and answer of Redis: the same', async () => {
    const proxy = await CutProxy.open(portOf(redis.url))
    started.keep(proxy, () => proxy.close())
    const behind = await started.log(`redis://127.0.0.1:${proxy.port}`)
    const log = await started.log(redis.url)
    const base = await started.userCommand(started.uniqClient(await started.uniq(behind)), log)
    proxy.cutNextAnswer()
    const made = await call(`${base}/users`, 'POST', ada)
    expect(proxy.cuts).toBe(1)
    expect(made.status).toBe(201)
    expect(await eventsOf(log)).toHaveLength(1)
  })

  test('a connection that is cut before the answer of user-command: a repeat with the key gets the first answer', async () => {
    const log = await started.log(redis.url)
    const base = await started.userCommand(started.uniqClient(await started.uniq(log)), log)
    const proxy = await CutProxy.open(portOf(base))
    started.keep(proxy, () => proxy.close())
    proxy.cutNextAnswer()
    const key = { 'idempotency-key': 'k-1' }
    const first = call(`http://127.0.0.1:${proxy.port}/users`, 'POST', ada, {
      ...key,
      'x-correlation-id': 'c-1',
    })
    await expect(first).rejects.toThrow('fetch failed')
    const again = await call(`${base}/users`, 'POST', ada, key)
    expect(again).toMatchObject({ status: 201, body: { correlationId: 'c-1' } })
    expect(await eventsOf(log)).toHaveLength(1)
    expect((await call(`${base}/users`, 'POST', { ...ada, username: 'Eve' }, key)).status).toBe(422)
  })

  test('Uniq that cannot be reached is 503 at once, and nothing is written', async () => {
    const log = await started.log(redis.url)
    const closed = await CutProxy.open(1)
    await closed.close()
    const base = await started.userCommand(started.uniqClient(closed.port), log)
    const from = performance.now()
    const refused = await call(`${base}/users`, 'POST', ada)
    expect(refused).toMatchObject({ status: 503, body: { code: 'service.unavailable' } })
    // The time limit of a request is 4.5 s; a refused connection must not wait for it.
    expect(performance.now() - from).toBeLessThan(4_400)
    expect(await eventsOf(log)).toEqual([])
  })

  test('a log that is down is 503, and when it is back the same request makes the account', async () => {
    const log = await started.log(redis.url)
    const base = await started.userCommand(started.uniqClient(await started.uniq(log)), log)
    const key = { 'idempotency-key': 'k-1' }
    const send = () => call(`${base}/users`, 'POST', ada, key)
    await redis.kill()
    const refused = await send()
    expect(refused.status).toBe(503)
    await redis.restart()
    let answer = await send()
    // The connection comes back in its own time; each try until then is an honest 503.
    while (answer.status === 503) answer = await send()
    expect(answer.status).toBe(201)
    expect(await eventsOf(log)).toHaveLength(1)
  })

  test('a repeat after the address has moved on gets its first answer', async () => {
    const log = await started.log(redis.url)
    const base = await started.userCommand(started.uniqClient(await started.uniq(log)), log)
    const key = { 'idempotency-key': 'k-1' }
    const first = await call(`${base}/users`, 'POST', ada, key)
    const { id, position, correlationId, token } = first.body
    const me = { authorization: `Bearer ${String(token)}` }
    expect(
      (await call(`${base}/users/${String(id)}`, 'PATCH', { email: 'new@example.org' }, me)).status,
    ).toBe(200)
    expect((await call(`${base}/users`, 'POST', { ...ada, username: 'Eve' })).status).toBe(201)
    const again = await call(`${base}/users`, 'POST', ada, key)
    expect(again).toMatchObject({ status: 201, body: { id, position, correlationId } })
    expect(await eventsOf(log)).toHaveLength(3)
  })

  test('a late PATCH after DELETE claims nothing and writes nothing', async () => {
    const log = await started.log(redis.url)
    const uniq = started.uniqClient(await started.uniq(log))
    const base = await started.userCommand(uniq, log)
    const made = await call(`${base}/users`, 'POST', ada)
    const id = String(made.body['id'])
    const me = { authorization: `Bearer ${String(made.body['token'])}` }
    expect((await call(`${base}/users/${id}`, 'DELETE', undefined, me)).status).toBe(200)
    const late = { email: 'late@example.org' }
    expect((await call(`${base}/users/${id}`, 'PATCH', late, me)).status).toBe(404)
    // The same past user-command's own look at the account.
    const event = newEvent(accounts, { type: 'EmailChanged', key: id, data: late })
    await expect(uniq.append('change', event)).rejects.toMatchObject({
      code: 'append.not-owner',
      status: 409,
    })
    expect(await uniq.ownerOf('email', [late.email])).toBeUndefined()
    expect((await eventsOf(log)).map(({ type }) => type)).toEqual(['AccountCreated', 'AccountClosed'])
  })

  test('a password is nowhere in Redis and in no log line', async () => {
    const log = await started.log(redis.url)
    const base = await started.userCommand(started.uniqClient(await started.uniq(log)), log)
    const key = { 'idempotency-key': 'k-1' }
    const made = await call(`${base}/users`, 'POST', ada, key)
    const me = { authorization: `Bearer ${String(made.body['token'])}`, 'idempotency-key': 'k-2' }
    const next = 'Zaubertrank-8-Zaubertrank'
    const path = `${base}/users/${String(made.body['id'])}/password`
    expect((await call(path, 'POST', { current: ada.password, next }, me)).status).toBe(200)
    expect((await call(`${base}/sessions`, 'POST', { email: ada.email, password: next })).status).toBe(200)
    const connection = new Redis(redis.url, { replyMapping: 'legacy' })
    started.keep(connection, async () => connection.disconnect())
    const dump: string[] = []
    for (const name of await connection.keys('*')) {
      const bytes = await connection.dumpBuffer(name)
      dump.push(name, (await valueOf(connection, name)) ?? '', bytes?.toString('latin1') ?? '')
    }
    expect(dump.join('\n')).toContain('argon2id')
    expect(dump.join('\n')).not.toContain('Zaubertrank')
    expect(started.lines.length).toBeGreaterThan(0)
    expect(JSON.stringify(started.lines)).not.toContain('Zaubertrank')
  })
})

/** A value in words; DUMP packs longer texts. */
async function valueOf(connection: Redis, name: string): Promise<string | undefined> {
  switch (await connection.type(name)) {
    case 'hash':
      return JSON.stringify(await connection.hgetall(name))
    case 'list':
      return JSON.stringify(await connection.lrange(name, 0, -1))
    case 'stream':
      return JSON.stringify(await connection.xrange(name, '-', '+'))
    case 'string':
      return (await connection.get(name)) ?? undefined
    default:
      return undefined
  }
}
