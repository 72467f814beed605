import { park } from '@millrace/processor/contract'
import { afterAll, beforeAll, expect } from 'vitest'
import { openLab } from '../../../test/support/group-guards.ts'
import { describeGuards } from '../../../test/support/guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())

const held = { ...park('a', 1), note: { ...park('a', 1).note, why: 'operator' as const } }
const open = openLab(() => server?.url ?? '', 'markDue')

describeGuards('mark-due.lua', scriptSource('mark-due.lua'), open, {
  'number of the head': {
    'a job of an earlier head marks nothing': async (lab) => {
      await lab.commit(3, { parks: [park('a', 1, 3, 1)] })
      await lab.commit(3, { parks: [park('a', 3)] })
      expect(await lab.store.markDue(lab.at, 'a', 1, 'clock', lab.now)).toBe('stale')
      expect(await lab.store.dueKeys(lab.at, lab.now)).toEqual([])
    },
    'a key that is not parked is not marked': async (lab) => {
      expect(await lab.store.markDue(lab.at, 'a', 1, 'operator', lab.now)).toBe('stale')
    },
  },
  'waits for an operator': {
    'the clock does not run what an operator has to see': async (lab) => {
      await lab.commit(1, { parks: [held] })
      expect(await lab.store.markDue(lab.at, 'a', 1, 'clock', lab.now)).toBe('stale')
    },
  },
  'marked before': {
    'a mark stays as it is': async (lab) => {
      await lab.commit(1, { parks: [park('a', 1)] })
      await lab.store.markDue(lab.at, 'a', 1, 'clock', lab.now)
      expect(await lab.store.markDue(lab.at, 'a', 1, 'operator', lab.now + 5)).toBe('already')
      expect(await lab.store.dueKeys(lab.at, lab.now)).toEqual([{ key: 'a', atMs: lab.now }])
    },
  },
})
