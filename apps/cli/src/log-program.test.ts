import { accounts } from '@millrace/accounts'
import { MillraceError, newEvent } from '@millrace/event'
import { processor, run } from '@millrace/processor'
import { connectGroupStore, connectLog, type RedisGroupStore, type RedisLog } from '@millrace/redis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { AccountScript, idsIn } from '../../../test/support/account-script.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { maskedData } from './masked-data.ts'
import { millrace } from './testing/millrace.ts'

let redis: TestRedis
let log: RedisLog
let groups: RedisGroupStore
const [bad = '', good = ''] = idsIn(3, 2)

beforeAll(async () => {
  redis = await startRedis()
  log = await connectLog({ url: redis.url })
  groups = await connectGroupStore({ url: redis.url })
  const script = new AccountScript(log)
  await script.signUp(bad)
  await script.signUp(good)
  await log.append(accounts, [
    {
      events: [
        newEvent(accounts, {
          type: 'EmailChanged',
          key: good,
          data: { email: 'new@example.org' },
          actor: `account:${good}`,
          correlationId: 'c-7',
          causationId: 'request-7',
        }),
      ],
    },
  ])
  // A group that gives up on one of them and settles the others.
  let settled = (): void => undefined
  const all = new Promise<void>((resolve) => (settled = resolve))
  const mail = processor('mail', accounts, {
    onExhausted: 'skip-event',
    handle: (event) => {
      if (event.type === 'EmailChanged') settled()
      if (event.subject === bad)
        throw new MillraceError('mail.refused', 'The mail to bad@example.org was refused', {
          details: { answer: '550 no such user bad@example.org' },
        })
    },
  })
  const running = await run(mail, { log, store: groups, kindOf: () => 'permanent' })
  await all
  await running.stop()
})

afterAll(async () => {
  await groups.close()
  await log.close()
  await redis.stop()
})

const on = (line: string) => millrace(line, { REDIS_URL: redis.url })

test('topics: every partition and how far it goes', async () => {
  const { code, stdout } = await on('topics')
  expect(code).toBe(0)
  expect(stdout.split('\n')[0]).toMatch(/^TOPIC +PLACEMENT +PARTITION +EVENTS/)
  expect(stdout).toMatch(/^accounts +together +3 +3 +\d{4}-\d\d-\d\dT\S+ +accounts\/3\/\d+-3$/m)
  expect(stdout).toMatch(/^accounts +together +0 +0 +- +-$/m)
  const [json] = JSON.parse((await on('topics --json')).stdout) as { tips: { seq: number }[] }[]
  expect(json).toMatchObject({ topic: 'accounts', partitions: 4 })
  expect(json?.tips[3]).toMatchObject({ seq: 3 })
})

test('groups: position, lag, member and lease; exit code 1 where nobody follows', async () => {
  const mail = await on('groups --group mail')
  expect(mail).toMatchObject({ code: 0, stderr: '' })
  expect(mail.stdout).toMatch(/^accounts +mail +3 +3 +3 +0 +member-\S+ +- +1$/m)
  const both = await on('groups --topic accounts --json')
  expect(both).toMatchObject({ code: 1, stderr: expect.stringContaining('no member holds the lease') })
  const found = JSON.parse(both.stdout) as { group: string; partition: number; lag: number }[]
  expect(found).toHaveLength(2 * accounts.partitions)
  expect(found.find(({ group, partition }) => group === 'user-query' && partition === 3)).toMatchObject({
    position: 0,
    tip: 3,
    lag: 3,
    member: null,
    leaseMs: 0,
  })
  expect(await on('groups --group letters')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('There is no group "letters"; there are mail, user-query, leads'),
  })
})

test('dead ls: what was given up and why, masked; exit code 1', async () => {
  const { code, stdout, stderr } = await on('dead ls')
  expect([code, stderr]).toEqual([1, '1 dead letter.\n'])
  expect(stdout).toMatch(/^accounts +mail +accounts\/3\/\d+-1 /m)
  expect(stdout).toContain('550 no such user b***@example.org')
  expect(stdout).not.toContain('bad@')
  const json = (await on('dead ls --json --group mail')).stdout
  expect(JSON.parse(json)).toMatchObject([{ group: 'mail', key: bad, reason: 'mail.refused', seq: 1 }])
  expect(json).not.toContain('bad@')
  expect(await on('dead ls --group user-query')).toMatchObject({ code: 0, stdout: '' })
  expect(await on('dead ls --topic nothing')).toMatchObject({ code: 2 })
  expect(await on('dead ls --limit none')).toMatchObject({ code: 2 })
})

test('events: who did what and when, caused by what; nothing personal and no hash', async () => {
  const { code, stdout } = await on(`events --key ${good}`)
  expect(code).toBe(0)
  const [head, created, changed] = stdout.split('\n')
  expect(head).toMatch(/^TOPIC +VERSION +TIME +TYPE +ACTOR +CORRELATION +CAUSED BY/)
  expect(created).toMatch(/^accounts +1 +2026-03-01T12:00:00.000Z +AccountCreated +- /)
  expect(created).toContain(`"email":"${good[0]}***@example.org","passwordHash":"***"`)
  expect(changed).toMatch(new RegExp(`EmailChanged +account:${good} +c-7 +request-7 +accounts/3/`))
  const json = (await on(`events --key ${good} --json`)).stdout.trim().split('\n')
  expect(JSON.parse(json[1] ?? '')).toMatchObject({
    version: 2,
    subject: good,
    data: { email: 'n***@example.org' },
    causationid: 'request-7',
  })
  expect(stdout + json.join()).not.toMatch(/argon2id|new@|Name of/)
  expect(await on('events --key nobody')).toMatchObject({ code: 1, stdout: '' })
  expect(await on('events')).toMatchObject({ code: 2, stderr: expect.stringContaining('--key') })
})

test('a Redis that cannot be reached is one sentence', async () => {
  expect(await millrace('topics', { REDIS_URL: 'redis://127.0.0.1:1' })).toEqual({
    code: 3,
    stdout: '',
    stderr: 'millrace: Redis cannot be reached. Is the system running?\n',
  })
})

test('masks keep the shape, and no text', () => {
  expect(
    maskedData({
      n: 1,
      when: '2026-03-01',
      list: ['Ada', { token: 'abc', email: 'ada@example.org' }],
      none: null,
    }),
  ).toEqual({
    n: 1,
    when: '2026-03-01',
    list: ['A***', { token: '***', email: 'a***@example.org' }],
    none: null,
  })
})
