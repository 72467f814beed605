import type { ChannelBatch, ChannelResult } from '@millrace/log'
import { happened } from '@millrace/log/contract'
import { expect } from 'vitest'
import type { AppendLab } from './append-lab.ts'
import type { GuardScenario } from './guards.ts'

type Scenario = GuardScenario<AppendLab>

export const batch = (lab: AppendLab, first: number, count: number, incarnation = 1): ChannelBatch => ({
  partition: 0,
  channel: 'feed',
  incarnation,
  first,
  events: Array.from({ length: count }, (_, at) => happened(lab.topic, 'a', first + at)),
})

const word = (result: ChannelResult) => (result.status === 'refused' ? result.error.code : result.taken)

/** The call is refused as a whole, and Redis holds what it held before, byte for byte. */
export async function expectRefusedWhole(lab: AppendLab, call: () => Promise<unknown>): Promise<void> {
  const before = await lab.dump()
  await expect(call()).rejects.toMatchObject({ code: 'log.corrupt' })
  expect(await lab.dump()).toEqual(before)
}

/** Puts a text where the script expects something else. */
export const wrongType =
  (name: (lab: AppendLab) => string, call: (lab: AppendLab) => Promise<unknown>): Scenario =>
  async (lab) => {
    await lab.redis.set(name(lab), 'not what you think')
    await expectRefusedWhole(lab, () => call(lab))
  }

/** The guards of append.lua that stand before channel batches. */
export const channelGuards: Readonly<Record<string, Readonly<Record<string, Scenario>>>> = {
  'type of channels': {
    'a wrong type of channels refuses a batch': wrongType(
      (lab) => lab.names.channels,
      (lab) => lab.channel(batch(lab, 1, 1)),
    ),
  },
  'channel fence': {
    'whoever was fenced off is refused': async (lab) => {
      await lab.fence({ name: 'feed', token: '1-a' })
      await lab.fence({ name: 'feed', token: '2-b' })
      const late = { ...batch(lab, 1, 1), fence: { name: 'feed', token: '1-a' } }
      expect(word(await lab.channel(late))).toBe('append.channel-fenced')
    },
  },
  'mark of one who is behind': {
    'a mark alone is taken from whoever knows what comes next': async (lab) => {
      await lab.channel({ ...batch(lab, 1, 3), mark: 'three' })
      const before = await lab.dump()
      await lab.channel({ ...batch(lab, 2, 0), mark: 'one' })
      expect(await lab.dump()).toEqual(before)
    },
  },
  'stale incarnation': {
    'an older incarnation is refused': async (lab) => {
      await lab.channel(batch(lab, 1, 1, 2))
      expect(word(await lab.channel(batch(lab, 2, 1, 1)))).toBe('append.channel-stale')
    },
  },
  'newer incarnation': {
    'a newer incarnation starts at 1': async (lab) => {
      await lab.channel(batch(lab, 1, 2, 1))
      expect(word(await lab.channel(batch(lab, 1, 2, 2)))).toBe(2)
    },
  },
  'channel gap': {
    'a gap is refused': async (lab) => {
      await lab.channel(batch(lab, 1, 1))
      expect(word(await lab.channel(batch(lab, 3, 1)))).toBe('append.channel-gap')
    },
  },
  'channel overlap': {
    'what the channel has is left out': async (lab) => {
      await lab.channel(batch(lab, 1, 3))
      expect(word(await lab.channel(batch(lab, 2, 3)))).toBe(1)
    },
  },
}
