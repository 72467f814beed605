import { held } from '@millrace/processor/contract'
import { expect } from 'vitest'
import { type GroupScenario, wrongType } from './group-guards.ts'

const ruling = { id: 'r1', kind: 'requeued', by: 'ada', reason: 'tried', key: 'a', seq: 1 } as const

/** The guards of commit-rulings.lua. */
export const rulingScenarios: Readonly<Record<string, Readonly<Record<string, GroupScenario>>>> = {
  'type of rulings': {
    'foreign rulings refuse late runs': wrongType(
      'rulings',
      () => ({ late: [1], lateRuns: [{ seq: 1, afterSeq: 1 }] }),
      async (lab) => {
        await lab.commit(1, { dead: [{ ...lab.letter(1), key: 'a' }] })
        await lab.store.rule(lab.at, ruling)
      },
    ),
  },
  'ruling that was followed': {
    'a ruling that nobody has followed is dropped': async (lab) => {
      await lab.commit(2, { parks: [held('a', 1)] })
      await lab.store.rule(lab.at, ruling)
      await lab.commit(2, { unparks: [{ key: 'a', last: 1 }], heeded: [{ seq: 1, id: undefined }] })
      expect((await lab.store.rulings(lab.at, [1])).size).toBe(0)
    },
  },
}
