import { expect } from 'vitest'
import { Keys } from '../../packages/redis/src/keys.ts'
import { draft, type GroupLab } from './group-lab.ts'
import type { GroupScenario } from './group-guards.ts'

/** It is in the outbox, and the target has what it had. */
async function expectInOutbox(lab: GroupLab, first = 1): Promise<void> {
  const { log, meta, channels } = lab.targetNames
  const look = () => Promise.all([log, meta, channels].map((name) => lab.redis.dumpBuffer(name)))
  const before = await look()
  expect(await lab.emit('a')).toEqual({ status: 'committed', numbers: [first] })
  expect(await look()).toEqual(before)
  expect((await lab.store.outbox(lab.at)).items.at(-1)).toMatchObject({ first })
}

const channelIn = (lab: GroupLab) => `${lab.topic.name}.0.readers`

/** A commit does not append at once where something is foreign: it goes on without, by the outbox. */
const foreign =
  (spoil: (lab: GroupLab) => Promise<unknown>): GroupScenario =>
  async (lab) => {
    await spoil(lab)
    await expectInOutbox(lab)
  }

/** The guards of commit-at-once.lua and of what it shares with append.lua. */
export const atOnceScenarios: Readonly<Record<string, Readonly<Record<string, GroupScenario>>>> = {
  'type of meta': {
    'a foreign meta of the target leads through the outbox': foreign((lab) =>
      lab.redis.set(lab.targetNames.meta, 'foreign'),
    ),
  },
  'counted entries': {
    'a target that others write to is left to the forwarder': foreign((lab) =>
      lab.redis.xadd(lab.targetNames.log, '1-1', 'who', 'else'),
    ),
  },
  'clock going back': {
    'a clock that goes back holds up nothing': async (lab) => {
      lab.now += 10_000
      await lab.emit('a')
      lab.now -= 10_000
      expect(await lab.emit('a')).toEqual({ status: 'committed', numbers: [0] })
    },
  },
  'type of channels': {
    'foreign channels lead through the outbox': foreign((lab) =>
      lab.redis.set(lab.targetNames.channels, 'foreign'),
    ),
  },
  'foreign incarnation': {
    'a channel of a later incarnation is none of ours': foreign((lab) =>
      lab.redis.hset(lab.targetNames.channels, channelIn(lab), '[2,0,""]'),
    ),
  },
  'type of the key index': {
    'a foreign key index leads through the outbox': foreign((lab) =>
      lab.redis.set(new Keys().keyIndex(lab.target, 0, 'a'), 'foreign'),
    ),
  },
  'foreign end': {
    'a log whose end is beyond ours leads through the outbox': foreign(async (lab) => {
      const id = await lab.redis.xadd(lab.targetNames.log, `${lab.now + 60_000}-1`, 'who', 'else')
      await lab.redis.xdel(lab.targetNames.log, id ?? '')
    }),
  },
  'channel in step': {
    'what lies in the outbox goes first': async (lab) => {
      await lab.commit(0, { outbox: [{ ...draft(0, 'a', 'b'), topic: lab.target.name }] })
      await expectInOutbox(lab, 3)
    },
  },
}
