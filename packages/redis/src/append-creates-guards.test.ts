import { claim, unit } from '@millrace/log/contract'
import { afterAll, beforeAll, expect } from 'vitest'
import { windowMs } from '../../../test/support/append-lab.ts'
import { CreateLab } from '../../../test/support/create-lab.ts'
import { describeGuards, type GuardScenario } from '../../../test/support/guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())

const open = async (source: string) => {
  const lab = await CreateLab.open(server?.url ?? '', source)
  return { context: lab, close: async () => lab.close() }
}

/** The create is left to the append script, and Redis holds what it held before, byte for byte. */
async function expectLeft(lab: CreateLab): Promise<void> {
  const before = await lab.lab.dump()
  expect(await lab.creates(lab.create('a', 'anna'))).toEqual(['left'])
  expect(await lab.lab.dump()).toEqual(before)
}

type Names = CreateLab['lab']['names']

/** Puts a text where the script expects something else. */
const wrongType =
  (name: keyof Names): GuardScenario<CreateLab> =>
  async (lab) => {
    await lab.lab.redis.set(lab.lab.names[name], 'not what you think')
    await expectLeft(lab)
  }

describeGuards('append-creates.lua', scriptSource('append-creates.lua'), open, {
  'type of meta': {
    'a wrong type of meta leaves the create': async (lab) => {
      await lab.lab.redis.del(lab.lab.names.log)
      await wrongType('meta')(lab)
    },
  },
  'counted entries': {
    'a log without its meta is not written to': async (lab) => {
      await lab.lab.redis.del(lab.lab.names.meta)
      lab.lab.now += 1
      await expectLeft(lab)
    },
  },
  'clock going back': {
    'stream ids do not follow the clock back': async (lab) => {
      lab.lab.now -= 5_000
      expect(await lab.creates(lab.create('a', 'anna'))).toEqual([1])
    },
  },
  'type of claims-meta': { 'a wrong type of claims-meta leaves the create': wrongType('claimsMeta') },
  'live version': {
    'a digest of another version of the keyring is left': async (lab) => {
      const claims = [claim('claim', 'anna', 'email', ['2'])]
      const create = unit(lab.lab.topic, 'a', { expectedVersion: 0, claims })
      expect(await lab.run('2', create)).toEqual(['left'])
    },
    'so is the first claim of a topic, which settles what is live': async (lab) => {
      await lab.lab.redis.del(lab.lab.names.claimsMeta)
      await expectLeft(lab)
    },
  },
  gate: {
    'creates are left while the gate is closed': async (lab) => {
      await lab.lab.redis.hset(lab.lab.names.claimsMeta, 'gate', String(lab.lab.now + 100))
      await expectLeft(lab)
      lab.lab.now += 100
      expect(await lab.creates(lab.create('a', 'anna'))).toEqual([1])
    },
  },
  'claim of another': {
    'a value that another key holds is left': async (lab) => {
      const results = await lab.creates(lab.create('a', 'first'), lab.create('b', 'berta'))
      expect(results).toEqual(['left', 1])
    },
    'a wrong type of claims leaves the create': wrongType('claims'),
  },
  'claim by a holder': {
    'a key that holds an entry is left, whatever became of its events': async (lab) => {
      await lab.lab.redis.hset(lab.lab.names.owners, 'email:a', '1:other')
      await expectLeft(lab)
    },
    'a wrong type of owners leaves the create': wrongType('owners'),
  },
  'key that has begun': {
    'a key with an event is left, and others of the call stand': async (lab) => {
      await lab.lab.append(unit(lab.lab.topic, 'a'))
      const results = await lab.creates(lab.create('a', 'anna'), lab.create('b', 'berta'))
      expect(results).toEqual(['left', 1])
    },
    'so is one whose index is no list': async (lab) => {
      await lab.lab.redis.set(lab.lab.indexOf('a'), 'not what you think')
      await expectLeft(lab)
    },
  },
  'claims within the call': {
    'of two creates with one value the second is left': async (lab) => {
      const results = await lab.creates(lab.create('a', 'anna'), lab.create('b', 'anna'))
      expect(results).toEqual([1, 'left'])
    },
  },
  'ids within the call': {
    'of two creates with one identity the second is left': async (lab) => {
      const results = await lab.creates(
        lab.create('a', 'anna', { id: 'one' }),
        lab.create('b', 'berta', { id: 'one' }),
      )
      expect(results).toEqual([1, 'left'])
    },
  },
  'keys within the call': {
    'of two creates of one key the second is left': async (lab) => {
      const results = await lab.creates(lab.create('a', 'anna'), lab.create('a', 'berta'))
      expect(results).toEqual([1, 'left'])
    },
  },
  'present ids': {
    'an event of the present generation is left': async (lab) => {
      await lab.lab.append(unit(lab.lab.topic, 'b', { id: 'one' }))
      expect(await lab.creates(lab.create('a', 'anna', { id: 'one' }))).toEqual(['left'])
    },
    'a wrong type of ids leaves the create': wrongType('ids'),
  },
  'old ids': {
    'an event of the generation before is left': async (lab) => {
      await lab.lab.append(unit(lab.lab.topic, 'b', { id: 'one' }))
      lab.lab.now += windowMs
      await lab.lab.append(unit(lab.lab.topic, 'b'))
      expect(await lab.creates(lab.create('a', 'anna', { id: 'one' }))).toEqual(['left'])
    },
    'a wrong type of ids-old leaves the create': wrongType('idsOld'),
  },
  'kept ids': {
    'an event with a claim is left for ever': async (lab) => {
      expect(await lab.creates(lab.create('b', 'berta', { id: 'one' }))).toEqual([1])
      lab.lab.now += 3 * windowMs
      expect(await lab.creates(lab.create('a', 'anna', { id: 'one' }))).toEqual(['left'])
    },
    'a wrong type of ids-kept leaves the create': wrongType('idsKept'),
  },
  'refused entry': {
    'an id that is beyond ours leaves all of the partition': async (lab) => {
      const { redis, names } = lab.lab
      await redis.xdel(names.log, (await redis.xadd(names.log, '99999999999999-1', 'a', 'b')) ?? '')
      await expectLeft(lab)
    },
  },
})
