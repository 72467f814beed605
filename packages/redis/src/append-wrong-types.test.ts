import { claim, happened, unit } from '@millrace/log/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AppendLab, windowMs } from '../../../test/support/append-lab.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())

const calls: Readonly<Record<string, (lab: AppendLab) => Promise<unknown>>> = {
  'a plain unit': (lab) => lab.append(unit(lab.topic, 'a'), unit(lab.topic, 'b')),
  'a claim': (lab) => lab.append(unit(lab.topic, 'c', { claims: [claim('claim', 'carla')] })),
  'a change': (lab) => lab.append(unit(lab.topic, 'a', { claims: [claim('change', 'berta')] })),
  'a release': (lab) => lab.append(unit(lab.topic, 'a', { claims: [claim('release', null)] })),
  'a channel': (lab) =>
    lab.channel({
      partition: 0,
      channel: 'feed',
      incarnation: 1,
      first: 2,
      events: [happened(lab.topic, 'a'), happened(lab.topic, 'b')],
    }),
}
const units = ['a plain unit', 'a claim', 'a change', 'a release']
const claims = ['a claim', 'a change', 'a release']

/** Which calls need which key. */
const needed: Readonly<Record<string, readonly string[]>> = {
  log: Object.keys(calls),
  meta: Object.keys(calls),
  ids: units,
  idsOld: units,
  idsKept: units,
  channels: ['a channel'],
  claims,
  owners: claims,
  claimsMeta: claims,
  index: ['a plain unit', 'a change', 'a release', 'a channel'],
}

/** A partition with something under every name, and a dedupe generation that the next call would end. */
async function lived(): Promise<AppendLab> {
  const lab = await AppendLab.open(server?.url ?? '')
  for (let turn = 0; turn < 2; turn++) {
    await lab.append(unit(lab.topic, 'b'))
    lab.now += windowMs
  }
  await lab.append(unit(lab.topic, 'a', { claims: [claim('claim', 'anna')] }))
  await lab.channel({
    partition: 0,
    channel: 'feed',
    incarnation: 1,
    first: 1,
    events: [happened(lab.topic, 'a')],
  })
  return lab
}

const nameOf = (lab: AppendLab, what: string) =>
  what === 'index' ? lab.indexOf('a') : lab.names[what as keyof typeof lab.names]

describe('a key of a wrong type refuses the whole call, and nothing changes', () => {
  for (const [what, who] of Object.entries(needed))
    for (const call of who)
      test(`${what}: ${call}`, async () => {
        const lab = await lived()
        expect(await lab.redis.exists(nameOf(lab, what))).toBe(1)
        await lab.redis.set(nameOf(lab, what), 'a text')
        const before = await lab.dump()
        await expect(calls[call]?.(lab)).rejects.toMatchObject({ code: 'log.corrupt' })
        expect(await lab.dump()).toEqual(before)
        lab.close()
      })

  for (const call of Object.keys(calls))
    test(`with the right types ${call} is taken`, async () => {
      const lab = await lived()
      const before = await lab.dump()
      await calls[call]?.(lab)
      expect(await lab.dump()).not.toEqual(before)
      lab.close()
    })
})
