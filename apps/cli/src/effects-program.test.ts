import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { accounts } from '@millrace/accounts'
import type { EffectChange } from '@millrace/processor'
import { intent } from '@millrace/processor/contract'
import { newEvent } from '@millrace/event'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startRedis } from '../../../test/support/redis.ts'
import { at, key, openRepairStand, type RepairStand, said } from './testing/repair-stand.ts'

let stand: RepairStand
beforeAll(async () => {
  stand = await openRepairStand(await startRedis())
})
afterAll(async () => {
  await stand.close()
})

const on = (line: string) => stand.on(line)
const note = {
  ...{ atMs: 1_700_000_000_000, attempts: 3, reason: 'mail.refused', fingerprint: 'f00' },
  ...{ message: 'no mailbox ada@example.org', tries: [] },
}
let token = ''

const confirm = (...changes: readonly EffectChange[]) => stand.groups.confirmEffects(at, token, changes)
const counts = async () => {
  const { counters, differences } = await stand.groups.audit(at)
  expect(differences).toEqual([])
  return counters.effects
}

/** Three effects of one key: the first is dead. */
beforeEach(async () => {
  await stand.raw.flushall()
  const event = newEvent(accounts, { type: 'EmailChanged', key, id: 'e', data: { email: 'ada@example.org' } })
  const [result] = await stand.log.append(accounts, [{ events: [event] }])
  const [position] = result?.status === 'appended' ? result.positions : []
  const lease = await stand.groups.acquire(at, 'member', 60_000)
  token = lease?.token ?? ''
  await stand.groups.commit(at, {
    ...{ token, n: 1, ahead: [], dead: [] },
    position: { id: position?.id ?? '', seq: 1 },
    effects: ['x', 'y', 'z'].map((id) => intent(id, key)),
  })
  await confirm({ idempotencyKey: 'x', turn: 0, to: 'dead', note })
})

test('ls and show: which are dead and why, by name, key, class and age; addresses masked', async () => {
  const listed = await on('effects ls --name quote --key a-1 --class f00 --older-than 1d')
  expect(listed).toMatchObject({ code: 1, stderr: '1 dead effect.\n' })
  expect(listed.stdout).toMatch(/^accounts +mail\/\d+ +quote +x +dead +2023-\S+ +a-1 +mail.refused +f00 +3 /m)
  expect(listed.stdout).not.toContain('ada@')
  for (const filter of ['--name other', '--key b', '--class f01', '--newer-than 1h', '--group user-query'])
    expect(await on(`effects ls ${filter}`)).toMatchObject({ code: 0, stdout: '' })
  const pending = JSON.parse((await on('effects ls --status pending --json')).stdout) as unknown
  expect(pending).toMatchObject([{ idempotencyKey: 'y', status: 'pending' }, { idempotencyKey: 'z' }])
  await confirm({ idempotencyKey: 'y', turn: 0, to: 'confirmed' })
  const shown = await on('effects show x --json')
  expect(JSON.parse(shown.stdout)).toMatchObject({
    ...{ name: 'quote', key, status: 'dead', turn: 1, overtaken: { count: 1, first: 2, last: 2 } },
    ...{ ruling: null, payload: { to: 'Z***' } },
  })
  expect(shown.stdout).not.toContain('ada@')
  expect((await on('effects show x --plain --json')).stdout).toContain('ada@example.org')
  expect(await on('effects show unknown')).toMatchObject({ code: 2 })
})

test('requeue: says what it would do, does it with --yes, once, and asks for force where it was overtaken', async () => {
  const dry = await on(`effects requeue x ${said}`)
  expect(dry).toMatchObject({ code: 0, stderr: 'Would do: 1 ruled. Nothing was done. Add --yes to do it.\n' })
  expect(await counts()).toMatchObject({ dead: 1 })
  await confirm({ idempotencyKey: 'y', turn: 0, to: 'confirmed' })
  const refused = await on(`effects requeue x ${said} --yes`)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain('a later effect of its key (numbers 2 to 2) overtook it; add --force')
  expect((await on(`effects requeue --topic accounts --key a-1 ${said} --yes --force --order o1`)).code).toBe(
    0,
  )
  expect(await counts()).toMatchObject({ dead: 0, pending: 2, confirmed: 1 })
  expect(await on(`effects requeue x ${said} --yes --force --order o1`)).toMatchObject({
    ...{ code: 0, stderr: expect.stringMatching(/^1 already\. Order o1\. Correlation id [\w-]+\.\n$/) },
  })
  await confirm({ idempotencyKey: 'x', turn: 2, to: 'confirmed' })
  const late = await on(`effects requeue x ${said} --yes`)
  expect(late).toMatchObject({ code: 0 })
  expect(late.stderr).toContain('x of -: carried out or ignored meanwhile.')
  expect(await on(`effects requeue unknown ${said} --yes`)).toMatchObject({ code: 2 })
  const repairs = JSON.parse((await on('repairs --json')).stdout) as unknown
  expect(repairs).toMatchObject([
    { on: 'effect', effect: 'x', kind: 'requeued', by: 'ada', reason: 'mended' },
  ])
})

test('ignore takes all of a group, and a second time there is nothing', async () => {
  expect((await on(`effects ignore ${said} --yes`)).code).toBe(2)
  expect(await on(`effects ignore --topic accounts --all ${said} --yes --json`)).toMatchObject({ code: 0 })
  expect(await counts()).toMatchObject({ dead: 0, ignored: 1 })
  expect(await on(`effects ignore --topic accounts --all ${said} --yes`)).toMatchObject({
    ...{ code: 0, stderr: 'There is nothing of that kind.\n' },
  })
})

test('edit checks the payload against the schema of the effect in a file, and keeps the original', async () => {
  const file = path.join(stand.home, 'mail.ts')
  writeFileSync(
    file,
    `const schema = { '~standard': { version: 1, vendor: 'test', validate: (value) =>
       typeof value.to === 'string' ? { value } : { issues: [{ message: 'to is no text' }] } } }
     const effects = new Map([['quote', { name: 'quote', schema, run: () => undefined }]])
     export const mail = { name: 'mail', topic: {}, program: {}, effects }`,
  )
  expect(await on(`effects edit x ${said} --yes --patch {"to":1}`)).toMatchObject({ code: 2 })
  const edit = (patch: string) => on(`effects edit x ${said} --yes --file ${file} --patch ${patch}`)
  const wrong = await edit('{"to":1}')
  expect(wrong.code).toBe(1)
  expect(wrong.stderr).toContain('to is no text')
  expect(await edit('{"to":"bob"}')).toMatchObject({ code: 0 })
  const shown = await on('effects show x --plain --json')
  expect(JSON.parse(shown.stdout)).toMatchObject({
    ...{ status: 'pending', payload: { to: 'bob' }, ruling: { kind: 'corrected' } },
    original: { to: 'Zoë "quoted" \\' },
  })
})
