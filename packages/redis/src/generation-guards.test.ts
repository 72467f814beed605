import type { Building } from '@millrace/processor'
import { stateOf } from '@millrace/processor/contract'
import { afterAll, beforeAll, expect } from 'vitest'
import { expectRefused, openLab } from '../../../test/support/group-guards.ts'
import type { GroupLab } from '../../../test/support/group-lab.ts'
import { describeGuards } from '../../../test/support/guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { Keys } from './keys.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())
const url = () => server?.url ?? ''

/** Builds generation 1 up to an event. */
async function build(lab: GroupLab, seq: number, parts = {}): Promise<Building> {
  const at = { ...lab.at, generation: 1 }
  const lease = await lab.store.acquire(at, 'replay', 1_000)
  if (!lease) throw new Error('The generation is held')
  const n = lease.n + 1
  const states = [stateOf('a', seq, { n: 'new' })]
  await lab.store.commit(at, { ...lab.next(seq), token: lease.token, n, states, ...parts })
  return { generation: 1, token: lease.token, n }
}

const built = (lab: GroupLab) => new Keys().group(lab.topic, 0, 'readers', 1)
const live = (lab: GroupLab) => ({ token: lab.token, n: lab.n })
const freeze = async (lab: GroupLab, building: Building, most = 0) =>
  (await lab.store.freeze(lab.at, building, { member: 'replay', leaseMs: 1_000, most })).status
const change = async (lab: GroupLab, building: Building, lease = live(lab)) =>
  (await lab.store.switchGeneration(lab.at, lease, building)).status

describeGuards('generation-freeze.lua', scriptSource('generation-freeze.lua'), openLab(url, 'freeze'), {
  'freeze type of meta': {
    'a partition whose meta is foreign is not frozen': async (lab) => {
      const building = await build(lab, 1)
      await lab.redis.set(lab.names.meta, 'foreign')
      await expectRefused(lab, () => freeze(lab, building))
    },
  },
  'freeze token': {
    'nobody but the owner of the generation freezes': async (lab) => {
      const building = await build(lab, 1)
      expect(await freeze(lab, { ...building, token: '1-other' })).toBe('fenced')
    },
    'a generation that was let go freezes nothing': async (lab) => {
      const building = await build(lab, 1)
      await lab.store.release({ ...lab.at, generation: 1 }, building.token)
      expect(await freeze(lab, { ...building, token: '' })).toBe('fenced')
    },
  },
  'freeze number': {
    'an owner that does not know of its last commit freezes nothing': async (lab) => {
      const building = await build(lab, 1)
      expect(await freeze(lab, { ...building, n: 0 })).toBe('fenced')
    },
  },
  'freeze behind': {
    'a live partition is not taken for a generation that has far to go': async (lab) => {
      const building = await build(lab, 1)
      await lab.commit(3)
      expect(await freeze(lab, building, 1)).toBe('behind')
      expect(await lab.commit(3)).toMatchObject({ status: 'committed' })
    },
  },
})

describeGuards('generation-switch.lua', scriptSource('generation-switch.lua'), openLab(url, 'switch'), {
  'switched before': {
    'a generation that is the live one already is said to be so': async (lab) => {
      await lab.commit(1)
      const building = await build(lab, 1)
      expect(await change(lab, building)).toBe('switched')
      expect(await change(lab, building)).toBe('already')
    },
  },
  'live token': {
    'without the live lease nothing is switched': async (lab) => {
      await lab.commit(1)
      const building = await build(lab, 1)
      expect(await change(lab, building, { token: '1-other', n: lab.n })).toBe('fenced')
    },
    'a lease that was let go switches nothing': async (lab) => {
      await lab.commit(1)
      const building = await build(lab, 1)
      await lab.store.release(lab.at, lab.token)
      expect(await change(lab, building, { token: '', n: lab.n })).toBe('fenced')
    },
  },
  'live number': {
    'who does not know of the last live commit switches nothing': async (lab) => {
      await lab.commit(1)
      const building = await build(lab, 1)
      expect(await change(lab, building, { token: lab.token, n: 0 })).toBe('fenced')
    },
  },
  'building token': {
    'a zombie of a replay switches nothing': async (lab) => {
      await lab.commit(1)
      const building = await build(lab, 1)
      expect(await change(lab, { ...building, token: '1-other' })).toBe('fenced')
    },
  },
  'building number': {
    'a replay that does not know of its last commit switches nothing': async (lab) => {
      await lab.commit(1)
      const building = await build(lab, 1)
      expect(await change(lab, { ...building, n: 0 })).toBe('fenced')
    },
  },
  'equal positions': {
    'a generation that is not there yet is not switched in': async (lab) => {
      await lab.commit(2)
      expect(await change(lab, await build(lab, 1))).toBe('apart')
    },
  },
  'equal ahead': {
    'a generation that lacks what is done ahead is not switched in': async (lab) => {
      await lab.commit(1, { ahead: [3] })
      expect(await change(lab, await build(lab, 1))).toBe('apart')
    },
  },
  'type of new states': {
    'states of a foreign type are not switched in': async (lab) => {
      await lab.commit(1)
      const building = await build(lab, 1)
      await lab.redis.set(built(lab).states, 'foreign')
      await expectRefused(lab, () => change(lab, building))
    },
  },
  'type of new timers': {
    'timers of a foreign type are not switched in': async (lab) => {
      await lab.commit(1)
      const building = await build(lab, 1)
      await lab.redis.set(built(lab).timers, 'foreign')
      await expectRefused(lab, () => change(lab, building))
    },
  },
  'type of live journal': {
    'a live journal of a foreign type refuses the switch as a whole': async (lab) => {
      await lab.commit(1)
      const timers = [{ key: 'a', name: 'v', dueMs: 7 }]
      await build(lab, 1, { timers })
      const building = await build(lab, 1, { firings: [{ ...timers[0], afterSeq: 1 }] })
      await lab.redis.set(lab.names.journal, 'foreign')
      await expectRefused(lab, () => change(lab, building))
    },
  },
  'firings of its own': {
    'a switch moves no more firings than fit into one step': async (lab) => {
      await lab.commit(1)
      const building = await build(lab, 1)
      const firings = Array.from({ length: 10_001 }, (_, at) => [0, `000000000000001 ${at}`]).flat()
      await lab.redis.zadd(built(lab).journal, ...firings)
      expect(await change(lab, building)).toBe('crowded')
    },
  },
})

describeGuards('generation-drop.lua', scriptSource('generation-drop.lua'), openLab(url, 'drop'), {
  'generation at work': {
    'a generation that a replay builds is not dropped': async (lab) => {
      await build(lab, 1)
      expect(await lab.store.dropGeneration({ ...lab.at, generation: 1 })).toBe('held')
    },
  },
})
