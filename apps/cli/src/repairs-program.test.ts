import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { accounts } from '@millrace/accounts'
import { connectRetryClock } from '@millrace/bullmq'
import { newEvent } from '@millrace/event'
import { beginning, type Position } from '@millrace/log'
import type { Commit } from '@millrace/processor'
import { held, letter, park } from '@millrace/processor/contract'
import { serverOptions } from '@millrace/redis'
import { purposeKey } from '@millrace/service'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { millrace } from './testing/millrace.ts'
import { startRedis } from '../../../test/support/redis.ts'
import { at, key, openRepairStand, type RepairStand, said } from './testing/repair-stand.ts'

let stand: RepairStand
beforeAll(async () => {
  stand = await openRepairStand(await startRedis())
})
afterAll(async () => {
  await stand.close()
})

let positions: Position[] = []
let ids = 0
const on = (line: string, input?: string) => stand.on(line, input)

/** A key whose first event is held, with a line of two, or dead with two later events that are done. */
beforeEach(async () => {
  await stand.raw.flushall()
  positions = []
  for (let n = 1; n <= 3; n += 1) {
    const event = newEvent(accounts, {
      type: 'EmailChanged',
      key,
      id: `e-${(ids += 1)}`,
      data: { email: `ada.${n}@example.org` },
    })
    const [result] = await stand.log.append(accounts, [{ events: [event] }])
    if (result?.status === 'appended') positions.push(...result.positions)
  }
})

async function commit(parts: (id: string) => Partial<Commit>): Promise<void> {
  const lease = await stand.groups.acquire(at, `m${(ids += 1)}`, 1)
  const { id, seq } = positions[2] ?? { id: beginning, seq: 0 }
  const made = parts(positions[0]?.id ?? '')
  await stand.groups.commit(at, {
    token: lease?.token ?? '',
    n: (lease?.n ?? 0) + 1,
    position: { id, seq },
    ahead: [],
    dead: [],
    ...made,
  })
}

const bury = () =>
  commit((id) => ({
    dead: [
      { ...letter(1, id, key), type: 'EmailChanged', fingerprint: 'f00', stack: 'Error: ada.1@example.org' },
    ],
  }))

const hold = () =>
  commit((id) => {
    const park = held(key, 1, 3, 2)
    return { parks: [{ ...park, note: { ...park.note, id, type: 'EmailChanged' } }] }
  })

const place = () => `accounts/${at.partition}/${positions[0]?.id}`

test('dead ls, classes and show: what needs an operator, why, and what has overtaken it; addresses masked', async () => {
  await bury()
  const listed = await on('dead ls --class f00 --older-than 1s')
  expect(listed).toMatchObject({ code: 1, stderr: '1 dead letter.\n' })
  expect(listed.stdout).toMatch(
    /^accounts +mail +accounts\/\d+\/\d+-1 +dead .* a-1 +EmailChanged +mail.refused +f00 +1 +0 /m,
  )
  expect(await on('dead ls --class other')).toMatchObject({ code: 0, stdout: '' })
  expect(await on('dead ls --newer-than 1h')).toMatchObject({ code: 0, stdout: '' })
  expect((await on('dead classes --json')).stdout).toContain(
    '"class":"f00","count":1,"reason":"mail.refused"',
  )
  const shown = JSON.parse((await on(`dead show ${place()} --json`)).stdout) as Record<string, unknown>
  expect(shown).toMatchObject({
    status: 'dead',
    overtaken: { count: 2, first: 2, last: 3 },
    ruling: null,
    event: { type: 'EmailChanged', subject: key },
  })
  expect(JSON.stringify(shown)).not.toContain('ada.1@')
  expect((await on(`dead show ${place()} --json --plain`)).stdout).toContain('ada.1@example.org')
})

test('dead ignore: says what it would do, does it with --yes, once', async () => {
  await bury()
  const dry = await on(`dead ignore ${place()} ${said}`)
  expect(dry).toMatchObject({ code: 0, stderr: 'Would do: 1 ruled. Nothing was done. Add --yes to do it.\n' })
  expect((await stand.groups.audit(at)).counters.dead).toBe(1)
  const done = await on(`dead ignore ${place()} ${said} --yes --json`)
  expect(done.code).toBe(0)
  expect(JSON.parse(done.stdout)).toMatchObject({ status: 'ruled', on: 'dead', key })
  expect(await stand.groups.audit(at)).toMatchObject({ counters: { dead: 0, done: 3 }, differences: [] })
  expect(await on(`dead ignore ${place()} ${said} --yes`)).toMatchObject({ code: 2 })
  expect((await on('repairs')).stdout).toMatch(
    / ada +ignored +dead +accounts +mail +\d+\/1 +a-1 +- +mended$/m,
  )
})

test('dead requeue: what was overtaken needs --force', async () => {
  await bury()
  const refused = await on(`dead requeue --topic accounts --class f00 ${said} --yes`)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('2 later events of its key (2 to 3) overtook it; add --force')
  expect(await on(`dead requeue --topic accounts --class f00 ${said} --yes --force`)).toMatchObject({
    code: 0,
  })
  expect((await stand.groups.requeued(at)).items).toMatchObject([{ seq: 1, key }])
  expect(await on('dead classes')).toMatchObject({ code: 0, stderr: '1 letter waits for its late run.\n' })
})

test('an edit is checked against the schema', async () => {
  await hold()
  const edit = (patch: string) =>
    on(`parked edit --topic accounts --key ${key} ${said} --yes --patch ${patch}`)
  const refused = await edit('{"email":7}')
  expect(refused.code).toBe(1)
  expect(await stand.groups.rulings(at, [1, 2, 3])).toEqual(new Map())
  expect(await edit('{"email":"eve@example.org"}')).toMatchObject({ code: 0 })
  expect([...(await stand.groups.rulings(at, [1, 2, 3])).values()].map(({ data }) => data)).toEqual(
    [1, 2, 3].map(() => ({ email: 'eve@example.org' })),
  )
  const whole = await on(`dead edit ${place()} ${said} --yes --data -`, '{"email":"zoe@example.org"}')
  expect(whole.code).toBe(0)
  expect((await stand.groups.rulings(at, [1])).get(1)?.data).toEqual({ email: 'zoe@example.org' })
})

test('parked ls and parked ignore: the key as a whole', async () => {
  await hold()
  const listed = await on('parked ls')
  expect(listed).toMatchObject({ code: 1, stderr: '1 parked key, 1 of them held for an operator.\n' })
  expect(listed.stdout).toMatch(/^accounts +mail +\d+ +a-1 +operator +1 +2 +EmailChanged/m)
  const done = await on(`parked ignore --group mail --key ${key} ${said} --yes --order o-1`)
  expect(done).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^3 ruled\. Order o-1\. Correlation id [\w-]+\.\n$/),
  })
  expect(await on(`parked ignore --group mail --key ${key} ${said} --yes --order o-1`)).toMatchObject({
    stderr: expect.stringMatching(/^3 already\. Order o-1\. /),
  })
})

test('refetch asks the sources of a file', async () => {
  await hold()
  const file = path.join(stand.home, 'sources.ts')
  writeFileSync(
    file,
    "export const sources = { EmailChanged: { fetch: async () => ({ data: { email: 'now@example.org' } }) } }\n",
  )
  expect(await on(`parked refetch --group mail --key ${key} ${said} --yes --sources ${file}`)).toMatchObject({
    code: 0,
  })
  expect((await stand.groups.rulings(at, [1])).get(1)?.data).toEqual({ email: 'now@example.org' })
})

test.each([
  `dead ignore ${said}`,
  'dead ignore --all --actor ada',
  `dead ignore accounts/0/1-1 ${said}`,
  `dead edit --topic accounts --all ${said}`,
  `dead requeue --key ${key} ${said}`,
  `parked ignore --key ${key} ${said}`,
  `parked ignore --topic accounts --key nobody ${said}`,
  `dead requeue --topic accounts --older-than soon --all ${said}`,
  'audit nothing',
  `mend --topic accounts --group mail --partition 0 --part all ${said}`,
])('%s is refused', async (line) => {
  expect(await on(line)).toMatchObject({ code: 2, stdout: '' })
})

test('audit names planted differences with their repairs, which mend them', async () => {
  await bury()
  expect(await on('audit')).toMatchObject({ code: 0, stdout: '' })
  const [group, index] = await stand.raw
    .keys('*')
    .then((names) => [
      names.find((name) => name.endsWith(':group:mail')) ?? '',
      names.find((name) => name.endsWith(':dead-index:mail')) ?? '',
    ])
  await stand.raw.hincrby(group ?? '', 'done', 4)
  await stand.raw.del(index ?? '')
  const { code, stdout } = await on('audit accounts mail --json')
  const found = JSON.parse(stdout) as { what: string; repair: string }[]
  expect([code, found.map(({ what }) => what)]).toEqual([1, ['events', 'listed letters and held keys']])
  for (const { repair } of found) {
    const line = repair.slice('millrace '.length).replace('--actor … --reason …', said)
    expect((await on(line)).stderr).toContain('Nothing was done. Add --yes')
    expect(await on(`${line} --yes`)).toMatchObject({ code: 0 })
  }
  expect(await on('audit accounts mail')).toMatchObject({ code: 0, stdout: '' })
  expect((await on('dead ls')).stderr).toBe('1 dead letter.\n')
})

test('audit compares parked keys with their jobs, where it has the secret', async () => {
  await commit((id) => {
    const parked = park(key, 1, 3, 2)
    return { parks: [{ ...parked, note: { ...parked.note, id, type: 'EmailChanged' } }] }
  })
  expect(await on('audit accounts mail')).toMatchObject({ code: 0, stdout: '' })
  expect(await millrace('audit', { REDIS_URL: stand.url, MILLRACE_SECRET: 'short' })).toMatchObject({
    ...{
      code: 2,
      stdout: '',
      stderr: 'millrace: MILLRACE_SECRET: The master secret has at least 16 bytes.\n',
    },
  })
  const secret = 'a secret of the tests, long enough'
  const elsewhere = await millrace('audit', { REDIS_URL: 'http://:hunter2@host', MILLRACE_SECRET: secret })
  expect(elsewhere).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/REDIS_URL: The address of Redis is/),
  })
  expect(elsewhere.stderr).not.toContain('hunter2')
  const audit = (known: string) =>
    millrace('audit accounts mail --sweep 0s --json', { REDIS_URL: stand.url, MILLRACE_SECRET: known })
  const { code, stdout } = await audit(secret)
  expect([code, JSON.parse(stdout)]).toMatchObject([1, [{ key, what: expect.stringContaining('no job') }]])
  const clock = await connectRetryClock({
    redis: serverOptions(stand.url),
    topic: accounts.name,
    group: 'mail',
    secret: purposeKey(secret, 'retry'),
  })
  const { note, no = 0 } = (await stand.groups.parked(at)).items[0] ?? {}
  if (!note) throw new Error('The key is not parked')
  const story = {
    ...{ type: note.type, eventId: note.eventId, position: note.id, reason: note.reason },
    ...{
      error: 'busy',
      message: note.message,
      fingerprint: note.fingerprint,
      lined: 2,
      sinceMs: note.sinceMs,
    },
  }
  const ref = { topic: accounts.name, partition: at.partition, group: 'mail', generation: 0 }
  await clock.schedule({ ...ref, key, parkNo: no, head: 1, attempt: 2, dueMs: Date.now() + 1e7, story })
  expect(await audit(secret)).toMatchObject({ code: 0, stdout: '[]\n' })
  await clock.close()
})
