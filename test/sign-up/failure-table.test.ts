import { connectGroupStore, connectLog } from '@millrace/redis'
import { FaultySmtpServer } from '@millrace/smtp/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { millrace } from '../../apps/cli/src/testing/millrace.ts'
import { accountsOnLog, unsettled } from '../faults/sign-up-verdict.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { WholeSystem } from '../support/whole-system.ts'
import { type Answer, call } from './system.ts'

// The whole system, each service a process of its own, with a Redis and a mail provider that can be taken away.
let redis: TestRedis
let provider: FaultySmtpServer
let system: WholeSystem

beforeAll(async () => {
  ;[redis, provider] = await Promise.all([startRedis({ appendonly: true }), FaultySmtpServer.start()])
  system = await WholeSystem.start({
    separate: true,
    env: { REDIS_URL: redis.url, SMTP_URL: provider.url },
  })
})

afterAll(async () => {
  await system.stop()
  await Promise.all([redis.stop(), provider.stop()])
})

const password = 'correct horse battery'
const signUp = (name: string, key = `key-${name}`): Promise<Answer> =>
  call(
    `${system.urlOf('GATEWAY')}/users`,
    'POST',
    { username: name, email: `${name}@example.org`, password },
    { 'idempotency-key': key },
  )

/** As an honest client: again, until the answer is no 503. */
async function insisting(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask()
    if (answer.status !== 503) return answer
  }
}

const signedUp = (name: string, key?: string) => insisting(() => signUp(name, key))

function read({ body }: Answer): Promise<Answer> {
  const after = encodeURIComponent(String(body['position']))
  const url = `${system.urlOf('GATEWAY')}/users/${String(body['id'])}?after=${after}`
  return insisting(() => call(url, 'GET', undefined, { authorization: `Bearer ${String(body['token'])}` }))
}

async function accountsCalled(name: string): Promise<number> {
  const log = await connectLog({ url: redis.url })
  try {
    return (await accountsOnLog(log)).created.filter(({ email }) => email === `${name}@example.org`).length
  } finally {
    await log.close()
  }
}

const verify = () => millrace('uniq verify', { REDIS_URL: redis.url, MILLRACE_HOME: system.home })

describe('a service that does not answer', () => {
  test.each(['uniq', 'user-command'])(
    '%s hangs: 503 within its limit, and nothing half done',
    async (service) => {
      expect((await signedUp(`before-${service}`)).status).toBe(201)
      system.pause(service)
      const from = performance.now()
      const refused = await signUp(`hanging-${service}`)
      // Five seconds are the limit; without one, nobody would ever answer.
      expect(performance.now() - from).toBeLessThan(30_000)
      system.goOn(service)
      expect(refused.status).toBe(503)
      expect(refused.body).toMatchObject({
        status: 503,
        code: expect.stringMatching(/service|append|request/),
      })
      // Whatever became of the first attempt, the repeat ends in one account.
      expect(await signedUp(`hanging-${service}`)).toMatchObject({ status: 201 })
      expect(await accountsCalled(`hanging-${service}`)).toBe(1)
      expect(await verify()).toMatchObject({ code: 0 })
    },
  )

  test('user-command is gone: 503 at once, until it is back by itself', async () => {
    let kills = 0
    let refused: Answer
    let tookMs: number
    let name: string
    // Where this process stands still for so long that the other one is back, it is killed again.
    do {
      if (kills > 0) await system.isBack('user-command', kills)
      await system.kill('user-command')
      name = `gone-${(kills += 1)}`
      const from = performance.now()
      refused = await signUp(name)
      tookMs = performance.now() - from
    } while (refused.status === 201)
    expect(refused).toMatchObject({ status: 503, body: { code: 'service.unavailable' } })
    // Whoever waits for an answer that does not come waits for five seconds.
    expect(tookMs).toBeLessThan(4_500)
    await system.isBack('user-command', kills)
    expect(await accountsCalled(name)).toBe(0)
    expect((await signedUp(name)).status).toBe(201)
  })
})

test('Redis is killed: 503 and neither event nor claim; restarted on its file, it has what it had answered', async () => {
  const before = await signedUp('kept')
  expect(before.status).toBe(201)
  await redis.kill()
  expect((await signUp('lost')).status).toBe(503)
  await redis.restart()
  expect(await accountsCalled('lost')).toBe(0)
  expect((await signedUp('lost')).status).toBe(201)
  expect(await accountsCalled('lost')).toBe(1)
  // The same request gets its first answer, as soon as reads are back too; another one finds the address taken.
  expect(await signedUp('kept')).toMatchObject({
    status: 201,
    body: { id: before.body['id'], position: before.body['position'] },
  })
  expect((await signedUp('kept', 'another-key')).status).toBe(409)
  expect(await verify()).toMatchObject({ code: 0 })
  // Those that follow the log go on, too.
  await provider.record.received(await accountsInAll())
  expect((await read(before)).status).toBe(200)
})

describe('the mail provider', () => {
  test('is away: sign-up does not notice, and the backlog goes out in order on return', async () => {
    await settledBy('mail')
    provider.record.clear()
    await provider.down()
    const names = Array.from({ length: 30 }, (_, at) => `backlog-${at}`)
    let slowest = 0
    for (const name of names) {
      const from = performance.now()
      expect((await signUp(name)).status).toBe(201)
      slowest = Math.max(slowest, performance.now() - from)
    }
    // None has waited for a provider that is away to its limit of five seconds.
    expect(slowest).toBeLessThan(4_500)
    expect(provider.record.mails).toEqual([])
    await system.says('The circuit breaker to the mail provider is open')
    await provider.up()
    await provider.record.received(names.length)
    await settledBy('mail')
    const order = provider.record.mails.map(({ to }) => to[0])
    expect(order).toHaveLength(names.length)
    expect(new Set(order)).toEqual(new Set(names.map((name) => `${name}@example.org`)))
    expect(await displacement(order)).toBeLessThanOrEqual(8)
    expect(await millrace('dead ls', { REDIS_URL: redis.url })).toMatchObject({ code: 0, stdout: '' })
  })

  test('refuses one address for good: a dead letter with the masked answer, and others go on', async () => {
    provider.faults.refuse('nobody@example.org')
    expect((await signUp('nobody')).status).toBe(201)
    expect((await signUp('somebody')).status).toBe(201)
    const mails = provider.record
    while (mails.mailsTo('somebody@example.org').length === 0) await mails.received(mails.mails.length + 1)
    await settledBy('mail')
    provider.faults.heal()
    const { code, stdout } = await millrace('dead ls --group mail', { REDIS_URL: redis.url })
    expect(code).toBe(1)
    expect(stdout).toMatch(/^accounts +mail +accounts\/.* mail\.refused /m)
    expect(stdout).toContain('No such user here')
    expect(stdout).not.toContain('nobody@')
    expect(mails.mailsTo('nobody@example.org')).toEqual([])
  })
})

test('the view is deleted: it comes back from the log, and not a single mail is sent', async () => {
  const made = await signedUp('remembered')
  expect((await read(made)).status).toBe(200)
  await settledBy('mail')
  const mails = provider.record.mails.length
  const client = new pg.Client({ connectionString: system.databaseUrl })
  await client.connect()
  await client.query('DROP SCHEMA user_query CASCADE')
  await client.end()
  let again = await read(made)
  while (again.status >= 500) again = await read(made)
  expect(again).toMatchObject({ status: 200, body: { email: 'remembered@example.org' } })
  await settledBy('mail')
  expect(provider.record.mails).toHaveLength(mails)
})

test('a read with the position of one’s own sign-up always sees it', async () => {
  const answers = await Promise.all(
    Array.from({ length: 100 }, async (_, at) => {
      const made = await signedUp(`reader-${at}`)
      return [made.status, (await read(made)).status]
    }),
  )
  expect(answers).toEqual(Array.from({ length: 100 }, () => [201, 200]))
})

test('mail in a process of its own says at an address of its own how it is', async () => {
  const ready = () => call(`${system.urlOf('MAIL')}/health/ready`, 'GET')
  const dependencies = { services: { state: 'ok' }, redis: { state: 'ok' }, mail: {} }
  await expect.poll(ready).toMatchObject({ status: 200, body: { dependencies } })
  expect((await ready()).body['dependencies']).not.toHaveProperty('user-query')
})

async function accountsInAll(): Promise<number> {
  const log = await connectLog({ url: redis.url })
  try {
    return (await accountsOnLog(log)).created.length
  } finally {
    await log.close()
  }
}

/** Resolves when a group has settled everything. */
async function settledBy(group: string): Promise<void> {
  const log = await connectLog({ url: redis.url })
  const groups = await connectGroupStore({ url: redis.url })
  try {
    while ((await unsettled(log, groups, group)) > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  } finally {
    await groups.close()
    await log.close()
  }
}

/** How far a mail was from its place: in the order of the log, each partition for itself. */
async function displacement(order: readonly (string | undefined)[]): Promise<number> {
  const log = await connectLog({ url: redis.url })
  try {
    const { created } = await accountsOnLog(log)
    const place = new Map(created.map(({ email, partition, seq }) => [email, { partition, seq }]))
    const lines = Map.groupBy(order, (email) => place.get(email ?? '')?.partition)
    const distances = [...lines.values()].flatMap((line) => {
      const wanted = line.toSorted((a, b) => (place.get(a ?? '')?.seq ?? 0) - (place.get(b ?? '')?.seq ?? 0))
      return line.map((email, at) => Math.abs(wanted.indexOf(email) - at))
    })
    return Math.max(...distances)
  } finally {
    await log.close()
  }
}
