import { intent } from '@millrace/processor/contract'
import { afterAll, beforeAll, expect } from 'vitest'
import { expectRefused, type GroupScenario, openLab } from '../../../test/support/group-guards.ts'
import { draft, type GroupLab } from '../../../test/support/group-lab.ts'
import { describeGuards } from '../../../test/support/guards.ts'
import { aFact, storyScenarios } from '../../../test/support/story-guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { Keys } from './keys.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())
const url = () => server?.url ?? ''

const change = (to: 'pending' | 'parked' | 'dead' | 'confirmed', turn = 0) => ({
  idempotencyKey: 'one',
  turn,
  to,
})

const confirm = (lab: GroupLab, ...changes: readonly ReturnType<typeof change>[]) =>
  lab.store.confirmEffects(lab.at, lab.token, changes)

const foreign =
  (name: keyof GroupLab['names'], ...steps: readonly ReturnType<typeof change>[]): GroupScenario =>
  async (lab) => {
    await lab.commit(1, { effects: [intent('one')] })
    for (const step of steps.slice(0, -1)) await confirm(lab, step)
    await lab.redis.set(lab.names[name], 'foreign')
    await expectRefused(lab, () => confirm(lab, ...steps.slice(-1)))
  }

describeGuards('confirm.lua', scriptSource('confirm.lua'), openLab(url, 'confirm'), {
  ...storyScenarios(
    (lab) => lab.store.confirmEffects(lab.at, lab.token, [{ ...change('confirmed'), fact: aFact }]),
    (lab) => lab.commit(1, { effects: [intent('one')] }),
  ),
  'told if made': {
    'a change that is not made is not told': async (lab) => {
      await lab.commit(1, { effects: [intent('one')] })
      const told = { ...change('dead', 7), fact: aFact }
      expect(await lab.store.confirmEffects(lab.at, lab.token, [told])).toEqual(['stale'])
      expect(await lab.redis.hlen(new Keys().story(lab.topic, 0, lab.at.group).facts)).toBe(0)
    },
  },
  'confirming token': {
    'another token confirms nothing': async (lab) => {
      await lab.commit(1, { effects: [intent('one')] })
      await lab.lease('one')
      expect(await lab.store.confirmEffects(lab.at, '1-other', [change('confirmed')])).toBe('fenced')
    },
    'no token confirms nothing after a release': async (lab) => {
      await lab.store.release(lab.at, lab.token)
      expect(await lab.store.confirmEffects(lab.at, '', [change('confirmed')])).toBe('fenced')
    },
  },
  'type of effects': { 'foreign effects refuse the call': foreign('effects', change('confirmed')) },
  'type of effects-settled': {
    'foreign settled effects refuse the call': foreign('effectsSettled', change('confirmed')),
  },
  'type of effects-pending': {
    'foreign pending effects refuse the call': foreign(
      'effectsPending',
      change('parked'),
      change('pending', 1),
    ),
  },
  'type of effects-parked': {
    'foreign parked effects refuse the call': foreign('effectsParked', change('parked')),
  },
  'type of effects-dead': { 'foreign dead effects refuse the call': foreign('effectsDead', change('dead')) },
  'type of the index of dead effects': {
    'a foreign index of dead effects refuses the call': foreign('effectsIndex', change('dead')),
  },
  'type of effects-passed': {
    'foreign notes of what has passed refuse the call': async (lab) => {
      await lab.commit(1, { effects: [intent('one'), intent('two')] })
      await confirm(lab, change('dead'))
      await lab.redis.set(lab.names.effectsPassed, 'foreign')
      await expectRefused(lab, () => confirm(lab, { ...change('confirmed'), idempotencyKey: 'two' }))
    },
  },
  'type of effects-requeued': {
    'foreign requeued effects refuse the call': foreign(
      'effectsRequeued',
      change('parked'),
      change('pending', 1),
      change('confirmed', 2),
    ),
  },
  turn: {
    'a change of an earlier turn is not made': async (lab) => {
      await lab.commit(1, { effects: [intent('one')] })
      await confirm(lab, change('parked'))
      await confirm(lab, change('pending', 1))
      expect(await confirm(lab, change('dead'))).toEqual(['stale'])
      expect((await lab.store.pendingEffects(lab.at)).items).toMatchObject([
        { idempotencyKey: 'one', turn: 2 },
      ])
    },
  },
  'repeated turn': {
    'a change that was made is answered as done': async (lab) => {
      await lab.commit(1, { effects: [intent('one')] })
      await confirm(lab, change('parked'))
      expect(await confirm(lab, change('parked'))).toEqual(['already'])
    },
  },
})

describeGuards('forwarded.lua', scriptSource('forwarded.lua'), openLab(url, 'forwarded'), {
  'type of the group': {
    'nothing is removed when it cannot be counted': async (lab) => {
      await lab.commit(1, { outbox: [draft(0, 'a')] })
      await lab.redis.set(lab.names.group, 'foreign')
      await expectRefused(lab, () => lab.store.forwarded(lab.at, ['1-1']))
    },
  },
})
