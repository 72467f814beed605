import type { AppendUnit } from '@millrace/log'
import { claim, happened, unit } from '@millrace/log/contract'
import { afterAll, beforeAll, expect } from 'vitest'
import { AppendLab, windowMs } from '../../../test/support/append-lab.ts'
import { batch, channelGuards, expectRefusedWhole, wrongType } from '../../../test/support/channel-guards.ts'
import { describeGuards } from '../../../test/support/guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())

const open = async (source: string) => {
  const lab = await AppendLab.open(server?.url ?? '', source)
  return { context: lab, close: async () => lab.close() }
}

const holding = (lab: AppendLab, key: string, value: string): AppendUnit =>
  unit(lab.topic, key, { claims: [claim('claim', value)] })

const plain = (lab: AppendLab) => lab.append(unit(lab.topic, 'a'))
const claiming = (lab: AppendLab) => lab.append(holding(lab, 'a', 'anna'))

describeGuards('append.lua', scriptSource('append.lua'), open, {
  'type of meta': {
    'a wrong type of meta refuses the call': wrongType((lab) => lab.names.meta, plain),
  },
  'counted entries': {
    'a log without its meta refuses the call': async (lab) => {
      await plain(lab)
      await lab.redis.del(lab.names.meta)
      lab.now += 1
      await expectRefusedWhole(lab, () => plain(lab))
    },
    'an entry that another wrote refuses the call': async (lab) => {
      await plain(lab)
      await lab.redis.xadd(lab.names.log, '*', 'who', 'else')
      lab.now = Math.max(lab.now, Date.now()) + 60_000
      await expectRefusedWhole(lab, () => plain(lab))
    },
    'a meta older than the log refuses the call': async (lab) => {
      await plain(lab)
      const old = await lab.redis.dumpBuffer(lab.names.meta)
      await plain(lab)
      await lab.redis.restore(lab.names.meta, 0, old, 'REPLACE')
      lab.now += 1
      await expectRefusedWhole(lab, () => plain(lab))
    },
  },
  'clock going back': {
    'stream ids do not follow the clock back': async (lab) => {
      const [first] = await plain(lab).then(([result]) =>
        result?.status === 'appended' ? result.positions : [],
      )
      lab.now -= 5_000
      const [result] = await plain(lab)
      expect(result).toMatchObject({ positions: [{ id: `${first?.id.split('-')[0]}-2`, seq: 2 }] })
    },
  },
  'type of the key index': {
    'a wrong type of a key index refuses the call': wrongType((lab) => lab.indexOf('a'), plain),
    'so it does for a channel': wrongType(
      (lab) => lab.indexOf('a'),
      (lab) => lab.channel(batch(lab, 1, 1)),
    ),
  },
  'present ids': {
    'an event of the present generation is known': async (lab) => {
      await lab.append(unit(lab.topic, 'a', { id: 'one' }))
      expect(await lab.outcomes(unit(lab.topic, 'a', { id: 'one' }))).toEqual(['duplicate'])
    },
    'a wrong type of ids refuses the call': wrongType((lab) => lab.names.ids, plain),
  },
  'old ids': {
    'an event of the generation before is known': async (lab) => {
      await lab.append(unit(lab.topic, 'a', { id: 'one' }))
      lab.now += windowMs
      await plain(lab)
      expect(await lab.outcomes(unit(lab.topic, 'a', { id: 'one' }))).toEqual(['duplicate'])
    },
    'a wrong type of ids-old refuses the call': wrongType((lab) => lab.names.idsOld, plain),
  },
  'kept ids': {
    'an event with claims is known for ever': async (lab) => {
      const first = { ...holding(lab, 'a', 'anna'), expectedVersion: 0 }
      await lab.append(first)
      for (let turn = 0; turn < 3; turn++) {
        lab.now += windowMs
        await plain(lab)
      }
      expect(await lab.outcomes(first)).toEqual(['duplicate'])
    },
    'a wrong type of ids-kept refuses the call': wrongType((lab) => lab.names.idsKept, claiming),
    'a wrong type of ids-kept refuses a call without claims': wrongType((lab) => lab.names.idsKept, plain),
  },
  'version within the call': {
    'a unit sees the events of those before it in the call': async (lab) => {
      const expecting = (expectedVersion: number) => unit(lab.topic, 'a', { expectedVersion })
      const results = await lab.outcomes(expecting(0), expecting(0), expecting(1))
      expect(results).toEqual(['appended', 'append.version', 'appended'])
    },
  },
  'ids within the call': {
    'a repeat in one call is known': async (lab) => {
      const same = unit(lab.topic, 'a', { id: 'one' })
      expect(await lab.outcomes(same, same)).toEqual(['appended', 'duplicate'])
    },
  },
  'partial repeat': {
    'a unit of which a part is on the log is refused': async (lab) => {
      await lab.append(unit(lab.topic, 'a', { id: 'one' }))
      const mixed = { events: [happened(lab.topic, 'a', {}, 'one'), happened(lab.topic, 'a', {}, 'two')] }
      expect(await lab.outcomes(mixed)).toEqual(['append.partial-duplicate'])
    },
  },
  fingerprint: {
    'a repeat with another fingerprint is refused': async (lab) => {
      await lab.append(unit(lab.topic, 'a', { id: 'one', fingerprint: 'f1' }))
      const again = (fingerprint: string) => unit(lab.topic, 'a', { id: 'one', fingerprint })
      expect(await lab.outcomes(again('f1'), again('f2'))).toEqual(['duplicate', 'append.fingerprint'])
    },
  },
  'expected version': {
    'a key that has moved on refuses the unit': async (lab) => {
      await plain(lab)
      expect(await lab.outcomes(unit(lab.topic, 'a', { expectedVersion: 0 }))).toEqual(['append.version'])
    },
  },
  'unchanged has an event': {
    'a change of nothing is appended when the key has no event to point to': async (lab) => {
      await claiming(lab)
      await lab.redis.del(lab.indexOf('a'))
      const same = unit(lab.topic, 'a', { claims: [claim('change', 'anna')], skipUnchanged: true })
      expect(await lab.outcomes(same)).toEqual(['appended'])
    },
  },
  'type of claims': {
    'a wrong type of claims refuses a release': async (lab) => {
      await claiming(lab)
      await lab.redis.set(lab.names.claims, 'not a hash')
      const release = unit(lab.topic, 'a', { claims: [claim('release', null)] })
      await expectRefusedWhole(lab, () => lab.append(release))
    },
  },
  'type of owners': {
    'a wrong type of owners refuses a claim': wrongType((lab) => lab.names.owners, claiming),
  },
  'type of claims-meta': {
    'a wrong type of claims-meta refuses a claim': wrongType((lab) => lab.names.claimsMeta, claiming),
  },
  'owners within the call': {
    'of two claims of a value in one call one is refused': async (lab) => {
      const results = await lab.outcomes(holding(lab, 'a', 'anna'), holding(lab, 'b', 'anna'))
      expect(results).toEqual(['appended', 'append.claimed'])
    },
    'a value that is freed can be claimed in the same call': async (lab) => {
      await claiming(lab)
      const change = unit(lab.topic, 'a', { claims: [claim('change', 'berta')] })
      expect(await lab.outcomes(change, holding(lab, 'b', 'anna'))).toEqual(['appended', 'appended'])
    },
  },
  'entries within the call': {
    'a key that has claimed in this call holds its claim': async (lab) => {
      const results = await lab.outcomes(holding(lab, 'a', 'anna'), holding(lab, 'a', 'berta'))
      expect(results).toEqual(['appended', 'append.not-owner'])
    },
  },
  gate: {
    'claims wait while the gate is closed': async (lab) => {
      await lab.redis.hset(lab.names.claimsMeta, 'gate', String(lab.now + 100))
      expect(await lab.outcomes(holding(lab, 'a', 'anna'))).toEqual(['append.gated'])
      lab.now += 100
      expect(await lab.outcomes(holding(lab, 'a', 'anna'))).toEqual(['appended'])
    },
  },
  'claim by a holder': {
    'a key that holds a claim cannot claim another value': async (lab) => {
      await claiming(lab)
      expect(await lab.outcomes(holding(lab, 'a', 'berta'))).toEqual(['append.not-owner'])
    },
  },
  'change by a stranger': {
    'a key without a claim can neither change nor release': async (lab) => {
      const change = unit(lab.topic, 'a', { claims: [claim('change', 'anna')] })
      const release = unit(lab.topic, 'a', { claims: [claim('release', null)] })
      expect(await lab.outcomes(change, release)).toEqual(['append.not-owner', 'append.not-owner'])
    },
  },
  keyring: {
    'a claim gives a digest of every live version': async (lab) => {
      await lab.append(unit(lab.topic, 'a', { claims: [claim('claim', 'anna', 'email', ['1', '2'])] }))
      const old = unit(lab.topic, 'b', { claims: [claim('claim', 'berta', 'email', ['2'])] })
      expect(await lab.outcomes(old)).toEqual(['append.keyring'])
    },
  },
  'claim of another': {
    'a value has one owner': async (lab) => {
      await claiming(lab)
      expect(await lab.outcomes(holding(lab, 'b', 'anna'))).toEqual(['append.claimed'])
    },
  },
  ...channelGuards,
  'nothing to write': {
    'a call of which nothing stands writes nothing': async (lab) => {
      await lab.append(unit(lab.topic, 'a', { id: 'one' }))
      const before = await lab.dump()
      lab.now += windowMs
      await lab.append(unit(lab.topic, 'a', { id: 'one' }), unit(lab.topic, 'a', { expectedVersion: 9 }))
      expect(await lab.dump()).toEqual(before)
    },
  },
  'refused entry': {
    'an id that is beyond ours refuses the call': async (lab) => {
      await plain(lab)
      await lab.redis.xdel(
        lab.names.log,
        (await lab.redis.xadd(lab.names.log, '99999999999999-1', 'a', 'b')) ?? '',
      )
      await expectRefusedWhole(lab, () => plain(lab))
    },
  },
  'rotation without ids': {
    'the first generation has none before it': async (lab) => {
      expect(await lab.outcomes(unit(lab.topic, 'a'))).toEqual(['appended'])
    },
    'a generation that was lost ends like any other': async (lab) => {
      await plain(lab)
      await lab.redis.del(lab.names.ids)
      lab.now += windowMs
      expect(await lab.outcomes(unit(lab.topic, 'a'))).toEqual(['appended'])
    },
  },
})
