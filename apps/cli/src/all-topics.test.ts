import { accounts } from '@millrace/accounts'
import { newEvent, partitionOfKey } from '@millrace/event'
import { appendOne, type Position } from '@millrace/log'
import type { Commit, GroupPartition } from '@millrace/processor'
import { held, intent, letter } from '@millrace/processor/contract'
import { supply } from '@millrace-app/restocking/topics'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { startRedis } from '../../../test/support/redis.ts'
import { at, key, openRepairStand, type RepairStand, said } from './testing/repair-stand.ts'

/** The same key once more, in another topic. */
const elsewhere: GroupPartition = {
  ...{ topic: supply, group: 'restocking' },
  partition: partitionOfKey(supply, key),
}

let stand: RepairStand
/** Where the event of each topic is. */
let positions: readonly (Position & { readonly place: GroupPartition })[] = []

beforeAll(async () => {
  stand = await openRepairStand(await startRedis())
})
afterAll(async () => {
  await stand.close()
})

beforeEach(async () => {
  await stand.raw.flushall()
  const account = newEvent(accounts, { type: 'EmailChanged', key, data: { email: 'ada@example.org' } })
  const stock = newEvent(supply, { type: 'StockLevelChanged', key, data: { difference: 1 } })
  positions = [
    { place: at, ...(await appended(accounts, account)) },
    { place: elsewhere, ...(await appended(supply, stock)) },
  ]
})

async function appended(
  topic: Parameters<typeof appendOne>[1],
  event: ReturnType<typeof newEvent>,
): Promise<Position> {
  const result = await appendOne(stand.log, topic, { events: [event] })
  const [position] = result.status === 'appended' ? result.positions : []
  if (!position) throw new Error('It was not appended')
  return position
}

/** Commits what becomes of the event of each topic. */
async function commitBoth(parts: (id: string) => Partial<Commit>): Promise<void> {
  for (const { place, id, seq } of positions) {
    const lease = await stand.groups.acquire(place, 'member', 60_000)
    const position = { id, seq }
    await stand.groups.commit(place, {
      ...{ token: lease?.token ?? '', n: 1, position, ahead: [], dead: [] },
      ...parts(id),
    })
    if (lease) await stand.groups.release(place, lease.token)
  }
}

const bury = () => commitBoth((id) => ({ dead: [{ ...letter(1, id, key), fingerprint: 'f00' }] }))
const on = (line: string) => stand.on(line)
const found = async (line: string) => JSON.parse((await on(`${line} --json`)).stdout) as unknown

test('dead letters are listed, counted and classed of all topics', async () => {
  await bury()
  expect(await on('dead ls')).toMatchObject({ code: 1, stderr: '2 dead letters.\n' })
  expect(await found('dead ls')).toMatchObject([
    { topic: 'accounts', group: 'mail', position: expect.stringMatching(/^accounts\//) },
    { topic: 'supply', group: 'restocking', position: expect.stringMatching(/^supply\//) },
  ])
  expect((await on('dead ls --limit 1')).stderr).toBe('1 dead letter; there are more, see --limit.\n')
  expect(await found('dead ls --group restocking')).toMatchObject([{ topic: 'supply' }])
  expect(await found('dead ls --topic accounts')).toMatchObject([{ topic: 'accounts' }])
  expect(await found('dead classes')).toMatchObject({
    classes: [
      { topic: 'accounts', class: 'f00', count: 1 },
      { topic: 'supply', class: 'f00', count: 1 },
    ],
  })
})

test('parked keys are listed of all topics; all are counted, also those beyond the limit', async () => {
  await commitBoth((id) => {
    const park = held(key, 1, 1, 0)
    return { parks: [{ ...park, note: { ...park.note, id } }] }
  })
  expect(await found('parked ls')).toMatchObject([{ topic: 'accounts' }, { topic: 'supply' }])
  const first = await on('parked ls --limit 1 --json')
  expect(JSON.parse(first.stdout)).toMatchObject([{ topic: 'accounts' }])
  expect(first.stderr).toBe(
    '2 parked keys, 2 of them held for an operator; the first 1 are listed, see --limit.\n',
  )
})

test('effects are listed of all topics', async () => {
  await commitBoth((id) => ({ effects: [intent(`effect of ${id}`, key)] }))
  expect(await found('effects ls --status pending')).toMatchObject([
    { topic: 'accounts' },
    { topic: 'supply' },
  ])
  expect(await on(`effects ignore --name quote ${said}`)).toMatchObject({
    ...{ code: 2, stderr: expect.stringContaining('add --topic or --group') },
  })
})

test('events of a key are those of all topics that know it', async () => {
  expect((await on(`events --key ${key}`)).stdout).toMatch(/^accounts +1 .*\nsupply +1 /m)
  expect((await on(`events --key ${key} --topic supply`)).stdout).not.toContain('accounts')
  expect((await on('events --key nobody')).stderr).toBe('No topic has events of this key.\n')
  expect((await on('events --key nobody --topic supply')).stderr).toBe('supply has no events of this key.\n')
})

test('a repair by position is done there; a selection asks where', async () => {
  await bury()
  for (const line of ['dead ignore --class f00', 'dead requeue --all', `parked ignore --key ${key}`])
    expect(await on(`${line} ${said} --yes`)).toMatchObject({
      ...{ code: 2, stdout: '', stderr: expect.stringContaining('add --topic or --group') },
    })
  const position = `supply/${elsewhere.partition}/${positions[1]?.id}`
  expect(await on(`dead ignore ${position} ${said} --yes`)).toMatchObject({ code: 0 })
  expect(await found('repairs')).toMatchObject([{ topic: 'supply', group: 'restocking', seq: 1 }])
  expect(await on(`dead ignore --group mail --all ${said} --yes`)).toMatchObject({ code: 0 })
  expect(await on('dead ls')).toMatchObject({ code: 0, stderr: '0 dead letters.\n' })
})
