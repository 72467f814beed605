import { intent, stateOf, taken } from '@millrace/processor/contract'
import { expect } from 'vitest'
import { type GroupScenario, refusal, wrongType } from './group-guards.ts'
import type { GroupLab } from './group-lab.ts'
import { rulingScenarios } from './ruling-guards.ts'

const withheldCount = async (lab: GroupLab) => (await lab.store.audit(lab.at)).counters.effects.withheld

/** The guards of commit-migrations.lua and commit-withheld.lua, with those of rulings. */
export const shadowScenarios: Readonly<Record<string, Readonly<Record<string, GroupScenario>>>> = {
  ...rulingScenarios,
  'type of migrations': {
    'a foreign journal of migrations refuses the commit': wrongType('migrations', () => ({
      migrations: [taken('a')],
    })),
  },
  'taken over once': {
    'a key is taken over once': refusal(
      'migrated',
      1,
      () => ({ states: [stateOf('a', 1)], migrations: [taken('b'), taken('a')] }),
      (lab) => lab.commit(1, { migrations: [taken('a')] }),
    ),
  },
  'withheld and open': {
    'an open effect is not withheld as well': async (lab) => {
      await lab.commit(1, { effects: [intent('x')] })
      await lab.commit(2, { withheld: [intent('x')] })
      expect(await withheldCount(lab)).toBe(0)
    },
  },
  'withheld and settled': {
    'a settled effect is not withheld as well': async (lab) => {
      await lab.commit(1, { effects: [intent('x')] })
      await lab.store.confirmEffects(lab.at, lab.token, [{ idempotencyKey: 'x', turn: 0, to: 'confirmed' }])
      await lab.commit(2, { withheld: [intent('x')] })
      expect(await withheldCount(lab)).toBe(0)
    },
  },
  'withheld before': {
    'an effect is withheld once': async (lab) => {
      for (const seq of [1, 2]) await lab.commit(seq, { withheld: [intent('x')] })
      expect(await withheldCount(lab)).toBe(1)
    },
  },
  'withheld and recorded at once': {
    'an effect of the same commit is not withheld as well': async (lab) => {
      await lab.commit(1, { effects: [intent('x')], withheld: [intent('x')] })
      expect(await withheldCount(lab)).toBe(0)
    },
  },
  'type of withheld-order': {
    'a foreign order of withheld effects refuses the commit': wrongType('withheldOrder', () => ({
      withheld: [intent('x')],
    })),
  },
  'withheld within the call': {
    'an effect that a commit names twice is withheld once': async (lab) => {
      await lab.commit(1, { withheld: [intent('x'), intent('x')] })
      expect(await withheldCount(lab)).toBe(1)
    },
  },
}
