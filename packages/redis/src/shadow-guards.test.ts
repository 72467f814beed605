import { intent, stateOf, taken } from '@millrace/processor/contract'
import { mostShadowKeys, type StateDrop } from '@millrace/processor'
import { afterAll, beforeAll, expect } from 'vitest'
import { expectRefused, type GroupScenario, openLab } from '../../../test/support/group-guards.ts'
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

const said = { by: 'ada', reason: 'tried' }

const foreign =
  (name: keyof GroupLab['names'], call: (lab: GroupLab) => Promise<unknown>): GroupScenario =>
  async (lab) => {
    await lab.commit(1, { states: [stateOf('a', 1)], withheld: [intent('x')] })
    await lab.redis.set(lab.names[name], 'foreign')
    await expectRefused(lab, () => call(lab))
  }

describeGuards('shadow.lua', scriptSource('shadow.lua'), openLab(url, 'shadow'), {
  'keys by name': {
    'not too many keys by name': async (lab) => {
      const keys = Array.from({ length: mostShadowKeys + 1 }, (_, n) => ({ key: `k${n}`, promoted: true }))
      await expect(lab.store.setShadow(lab.at, { keys, ...said })).rejects.toMatchObject({
        code: 'shadow.crowded',
      })
    },
  },
})

const release = (lab: GroupLab, ...ids: readonly string[]) =>
  lab.store.settleWithheld(lab.at, { ids, to: 'released', ...said })

describeGuards('withheld.lua', scriptSource('withheld.lua'), openLab(url, 'withheld'), {
  'type of the group': { 'a foreign record refuses it': foreign('group', (lab) => release(lab, 'x')) },
  'type of withheld-order': {
    'a foreign order refuses it': foreign('withheldOrder', (lab) => release(lab, 'x')),
  },
  'type of effects': { 'foreign effects refuse it': foreign('effects', (lab) => release(lab, 'x')) },
  'type of effects-pending': {
    'a foreign list of pending ones refuses it': foreign('effectsPending', (lab) => release(lab, 'x')),
  },
  'type of effects-requeued': {
    'a foreign list of requeued ones refuses it': foreign('effectsRequeued', (lab) => release(lab, 'x')),
  },
  'open already': {
    'an effect that is open is not released': async (lab) => {
      await lab.commit(1, { withheld: [intent('x')] })
      await lab.commit(2, { effects: [intent('x')] })
      expect(await release(lab, 'x')).toEqual(['gone'])
      expect((await lab.store.audit(lab.at)).differences).toEqual([])
    },
  },
  'settled already': {
    'an effect that was recorded again and carried out is not released': async (lab) => {
      await lab.commit(1, { withheld: [intent('x')] })
      await lab.commit(2, { effects: [intent('x')] })
      await lab.store.confirmEffects(lab.at, lab.token, [{ idempotencyKey: 'x', turn: 0, to: 'confirmed' }])
      expect(await release(lab, 'x')).toEqual(['gone'])
    },
    'a foreign list of settled ones refuses it': foreign('effectsSettled', (lab) => release(lab, 'x')),
  },
  'named twice': {
    'an effect that is named twice is released once': async (lab) => {
      await lab.commit(1, { withheld: [intent('x')] })
      expect(await release(lab, 'x', 'x')).toEqual(['moved', 'gone'])
      expect((await lab.store.audit(lab.at)).differences).toEqual([])
    },
  },
})

const drop = (lab: GroupLab, token = lab.token, more: Partial<StateDrop> = {}) =>
  lab.store.dropStates(lab.at, token, {
    ...{ keys: ['a'], history: true, timers: [], logged: true, named: 'a', ...said },
    ...more,
  })

describeGuards('state-drop.lua', scriptSource('state-drop.lua'), openLab(url, 'stateDrop'), {
  'token of a drop': {
    'another token drops nothing': async (lab) => {
      await lab.commit(1, { states: [stateOf('a', 1)], migrations: [taken('a')] })
      expect(await drop(lab, '1-other')).toEqual({ status: 'fenced' })
    },
    'no token drops nothing after a release': async (lab) => {
      await lab.commit(1, { states: [stateOf('a', 1)] })
      await lab.store.release(lab.at, lab.token)
      expect(await drop(lab, '')).toEqual({ status: 'fenced' })
    },
  },
  'type of timers': {
    'foreign timers refuse it': foreign('timers', (lab) =>
      drop(lab, lab.token, { timers: [{ key: 'a', name: 'w' }] }),
    ),
  },
  'type of migrations': { 'a foreign journal refuses it': foreign('migrations', (lab) => drop(lab)) },
  'type of repairs': { 'a foreign audit log refuses it': foreign('repairs', (lab) => drop(lab)) },
  'dropped before': {
    'a key is dropped once': async (lab) => {
      await lab.commit(1, { states: [stateOf('a', 1)] })
      expect(await drop(lab)).toMatchObject({ records: 1 })
      expect(await drop(lab)).toMatchObject({ records: 0 })
    },
  },
})

describeGuards('migrate.lua', scriptSource('migrate.lua'), openLab(url, 'migrate'), {
  'key with a record': {
    'a key that has a record is not taken over': async (lab) => {
      await lab.commit(1, { states: [stateOf('a', 1)] })
      expect(await lab.store.keepMigration(lab.at, taken('a'))).toBe('known')
    },
  },
  'key with an entry': {
    'a key is taken over once': async (lab) => {
      for (const answer of ['kept', 'known'])
        expect(await lab.store.keepMigration(lab.at, taken('a'))).toBe(answer)
    },
  },
})
