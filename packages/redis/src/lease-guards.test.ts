import { afterAll, beforeAll, expect } from 'vitest'
import { expectRefused, openLab, standingScenarios } from '../../../test/support/group-guards.ts'
import type { GroupLab } from '../../../test/support/group-lab.ts'
import { describeGuards } from '../../../test/support/guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())
const url = () => server?.url ?? ''

const startAt = (lab: GroupLab, start: { id: string; seq: number }) =>
  lab.store.acquire(lab.at, 'one', 1_000, start)

describeGuards('lease.lua', scriptSource('lease.lua'), openLab(url, 'lease'), {
  ...standingScenarios(startAt),
  'lease type of meta': {
    'nobody gets a lease on a partition whose meta is foreign': async (lab) => {
      await lab.redis.set(lab.names.meta, 'foreign')
      await expectRefused(lab, () => lab.lease())
    },
  },
  'live holder': {
    'a lease is not taken from a live holder': async (lab) => {
      lab.now += 999
      expect(await lab.store.acquire(lab.at, 'two', 1_000)).toBeUndefined()
    },
  },
  'start of a record that has begun': {
    'a group that has a position stays there': async (lab) => {
      await lab.commit(1)
      const [, second] = lab.positions
      const lease = await lab.store.acquire(lab.at, 'one', 1_000, second)
      expect(lease?.position.seq).toBe(1)
    },
  },
  'start beyond the tip': {
    'a group does not begin beyond the tip': async (lab) => {
      await expectRefused(lab, () => startAt(lab, { id: '99999999999999-9', seq: 9 }), 'beyond')
    },
  },
  'lease token': {
    'another token does not renew': async (lab) => {
      const other = { token: '1-other', n: 0 }
      expect(await lab.store.renew(lab.at, other, 1_000)).toEqual({ status: 'fenced' })
    },
    'another token does not release': async (lab) => {
      expect(await lab.store.release(lab.at, '1-other')).toBe('fenced')
    },
    'a released lease is not renewed by anybody': async (lab) => {
      await lab.store.release(lab.at, lab.token)
      expect(await lab.store.renew(lab.at, { token: '', n: 0 }, 1_000)).toEqual({ status: 'fenced' })
    },
  },
  'renewal number': {
    'a member that does not know of the last commit does not renew': async (lab) => {
      await lab.commit(1)
      expect(await lab.store.renew(lab.at, { token: lab.token, n: 0 }, 1_000)).toEqual({ status: 'fenced' })
    },
  },
})
