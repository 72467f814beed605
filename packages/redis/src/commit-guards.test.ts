import { deferral, held, intent, park } from '@millrace/processor/contract'
import { afterAll, beforeAll, expect } from 'vitest'
import {
  expectRefused,
  openLab,
  refusal,
  standingScenarios,
  wrongType,
} from '../../../test/support/group-guards.ts'
import { atOnceScenarios } from '../../../test/support/at-once-guards.ts'
import { shadowScenarios } from '../../../test/support/shadow-guards.ts'
import { draft, type GroupLab } from '../../../test/support/group-lab.ts'
import { describeGuards } from '../../../test/support/guards.ts'
import { notedScenarios } from '../../../test/support/story-guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())
const url = () => server?.url ?? ''

const markDue = (lab: GroupLab, parkNo: number) => lab.store.markDue(lab.at, 'a', parkNo, 'clock', lab.now)

const timer = { key: 'a', name: 'window', dueMs: 5_000 }
const firing = { ...timer, afterSeq: 1 }

describeGuards('commit.lua', scriptSource('commit.lua'), openLab(url, 'commit'), {
  ...standingScenarios((lab, position) => lab.commit(0, { position })),
  'commit token': {
    'another token commits nothing': async (lab) => {
      expect(await lab.commit(3, { token: '1-other' })).toEqual({ status: 'fenced' })
    },
    'no token commits nothing after a release': async (lab) => {
      await lab.store.release(lab.at, lab.token)
      expect(await lab.commit(3, { token: '' })).toEqual({ status: 'fenced' })
    },
  },
  'repeated commit': {
    'the same commit again is answered as done': async (lab) => {
      const commit = lab.next(3)
      await lab.store.commit(lab.at, commit)
      expect(await lab.store.commit(lab.at, commit)).toEqual({ status: 'already' })
    },
  },
  'commit number': {
    'a number that does not follow is fenced': async (lab) => {
      expect(await lab.commit(3, { n: 2 })).toEqual({ status: 'fenced' })
    },
    'a number from before is fenced': async (lab) => {
      for (const seq of [1, 2]) await lab.commit(seq)
      expect(await lab.commit(3, { n: 1 })).toEqual({ status: 'fenced' })
    },
  },
  backwards: {
    'a position behind that of the group is refused': refusal(
      'backwards',
      1,
      () => ({}),
      (lab) => lab.commit(2),
    ),
  },
  'beyond the tip': {
    'a position beyond the tip is refused': refusal('beyond', 4, () => ({
      position: { id: '99999999999999-4', seq: 4 },
    })),
    'nothing beyond the tip is settled': refusal('beyond', 1, () => ({ ahead: [4] })),
  },
  'missing group': {
    'a group that was removed by hand is made again': async (lab) => {
      await lab.redis.xgroup('DESTROY', lab.names.log, 'readers')
      await lab.commit(2)
      expect(await lab.redis.xinfo('GROUPS', lab.names.log)).toMatchObject([
        expect.arrayContaining(['readers', lab.positions[1]?.id]),
      ])
    },
  },
  forgotten: {
    'what was settled stays settled': refusal(
      'forgotten',
      1,
      () => ({ done: 0 }),
      (lab) => lab.commit(0, { ahead: [3] }),
    ),
  },
  'type of states': {
    'foreign states refuse the commit': wrongType('states', () => ({
      states: [{ key: 'a', version: 1, seq: 1, state: '{}', ops: '' }],
    })),
    'so they do when one is only removed': wrongType('states', () => ({
      states: [{ key: 'a', removed: true }],
    })),
  },
  'type of parked': {
    'foreign park records refuse the commit': wrongType('parked', () => ({ parks: [park('a', 1)] })),
  },
  'type of parked-heads': {
    'foreign heads refuse the commit': wrongType('parkedHeads', () => ({ parks: [park('a', 1)] })),
  },
  'type of parked-due': {
    'foreign marks refuse the commit': wrongType('parkedDue', () => ({ parks: [park('a', 1)] })),
  },
  'answered mark': {
    'an attempt takes the mark back': async (lab) => {
      await lab.commit(1, { parks: [park('a', 1)] })
      await markDue(lab, 1)
      await lab.commit(1, { parks: [{ ...park('a', 1), tried: true }] })
      expect(await lab.store.dueKeys(lab.at, lab.now)).toEqual([])
    },
    'another head is not due': async (lab) => {
      await lab.commit(3, { parks: [park('a', 1, 3, 1)] })
      await markDue(lab, 1)
      await lab.commit(3, { parks: [park('a', 3)] })
      expect(await lab.store.dueKeys(lab.at, lab.now)).toEqual([])
    },
  },
  'mark of an unparked key': {
    'a key that is not parked is not due': async (lab) => {
      await lab.commit(1, { parks: [park('a', 1)] })
      await markDue(lab, 1)
      await lab.commit(1, { unparks: [{ key: 'a', last: 1 }] })
      expect(await lab.store.dueKeys(lab.at, lab.now)).toEqual([])
    },
  },
  'head moves back': {
    'a head never moves back': refusal(
      'line',
      3,
      () => ({ parks: [park('a', 1, 3, 1)] }),
      (lab) => lab.commit(2, { parks: [park('a', 2)] }),
    ),
  },
  'line moves back': {
    'a line never becomes shorter at its end': refusal(
      'line',
      3,
      () => ({ parks: [park('a', 1)] }),
      (lab) => lab.commit(3, { parks: [park('a', 1, 3, 1)] }),
    ),
  },
  'number of a head': {
    'a head keeps its number, and the next one gets its own': async (lab) => {
      await lab.commit(1, { parks: [park('a', 1)] })
      await lab.commit(3, { parks: [park('a', 1, 3, 1)] })
      expect((await lab.store.parked(lab.at)).items[0]?.no).toBe(1)
      await lab.commit(3, { parks: [park('a', 3)] })
      expect((await lab.store.parked(lab.at)).items[0]?.no).toBe(3)
    },
  },
  'mark set anew': {
    'an attempt does not answer a mark that an operator has set since': async (lab) => {
      await lab.commit(1, { parks: [park('a', 1)] })
      await lab.store.markDue(lab.at, 'a', 1, 'operator', 101)
      await lab.commit(1, { parks: [{ ...park('a', 1), tried: true, markMs: 100 }] })
      expect(await lab.store.dueKeys(lab.at, 1_000)).toHaveLength(1)
    },
  },
  'held key that goes on': {
    'a held key leaves the list of what needs an operator when it goes on': async (lab) => {
      await lab.commit(1, { parks: [held('a', 1)] })
      await lab.commit(1, { unparks: [{ key: 'a', last: 1 }] })
      expect((await lab.store.audit(lab.at)).differences).toEqual([])
    },
  },
  'index of a letter written twice': {
    'a letter that is written again stands in the list once': async (lab) => {
      await lab.commit(1, { dead: [lab.letter(1)] })
      await lab.commit(1, { dead: [{ ...lab.letter(1), atMs: 5 }] })
      expect((await lab.store.audit(lab.at)).differences).toEqual([])
    },
  },
  'type of dead-index': {
    'a foreign index refuses letters': wrongType('deadIndex', (lab) => ({ dead: [lab.letter(1)] })),
    'and held keys': wrongType('deadIndex', () => ({ parks: [held('a', 1)] })),
  },
  'late as requeued': {
    'nothing is settled late that is not requeued': refusal('late', 1, () => ({ late: [1] })),
  },
  unparked: {
    'a key that is not parked is not unparked': refusal('unparked', 1, () => ({
      unparks: [{ key: 'a', last: 1 }],
    })),
  },
  'unpark before the line is empty': {
    'a key is not unparked while its line goes on': refusal(
      'line',
      3,
      () => ({ unparks: [{ key: 'a', last: 1 }] }),
      (lab) => lab.commit(3, { parks: [park('a', 1, 3, 1)] }),
    ),
  },
  'type of parked with a longer line': {
    'foreign park records refuse a longer line': wrongType('parked', () => ({
      lines: [{ key: 'a', last: 3, lined: 1 }],
    })),
  },
  'longer line of a parked key': {
    'a key that is not parked has no line': refusal('unparked', 1, () => ({
      lines: [{ key: 'a', last: 1, lined: 1 }],
    })),
  },
  'longer line moves back': {
    'the end of a line does not move back': refusal(
      'line',
      3,
      () => ({ lines: [{ key: 'a', last: 2, lined: 1 }] }),
      (lab) => lab.commit(3, { parks: [park('a', 1, 3, 1)] }),
    ),
  },
  'type of deferred': {
    'foreign deferred lists refuse the commit': wrongType('deferred', () => ({
      defers: [{ key: 'a', events: [deferral(1)] }],
    })),
  },
  'type of deferred-heads': {
    'foreign heads of deferred lists refuse the commit': wrongType('deferredHeads', () => ({
      defers: [{ key: 'a', events: [deferral(1)] }],
    })),
  },
  'type of dead': {
    'foreign dead letters refuse the commit': wrongType('dead', (lab) => ({ dead: [lab.letter(3)] })),
  },
  ...shadowScenarios,
  ...notedScenarios,
  'letter written twice': {
    'an event is dead once': async (lab) => {
      await lab.commit(2, { dead: [lab.letter(1)] })
      await lab.commit(3, { dead: [lab.letter(1)] })
      expect((await lab.store.audit(lab.at)).differences).toEqual([])
    },
  },
  balance: {
    'more cannot be done than was settled': refusal('balance', 2, () => ({ done: 3 })),
    'nothing settled disappears': refusal('balance', 2, () => ({ done: 1 })),
  },
  'type of timers': {
    'foreign timers refuse the commit': wrongType('timers', () => ({ timers: [timer] })),
    'so they do when one is only cancelled': wrongType('timers', () => ({
      timers: [{ ...timer, dueMs: undefined }],
    })),
  },
  'type of journal': {
    'a foreign journal refuses the commit': wrongType(
      'journal',
      () => ({ firings: [firing] }),
      (lab) => lab.commit(1, { timers: [timer] }),
    ),
  },
  'timer as it is set': {
    'a timer that is not set does not fire': refusal('timer', 1, () => ({ firings: [firing] })),
    'a timer that was moved does not fire at its former time': refusal(
      'timer',
      1,
      () => ({ firings: [firing] }),
      (lab) => lab.commit(1, { timers: [{ ...timer, dueMs: 6_000 }] }),
    ),
  },
  'open effects': {
    'an effect that is open is not recorded again': async (lab) => {
      for (const seq of [1, 2]) await lab.commit(seq, { effects: [intent('one')] })
      expect((await lab.store.audit(lab.at)).counters.effects).toMatchObject({ recorded: 1, pending: 1 })
    },
  },
  'settled effects': {
    'an effect that was confirmed is not recorded again': async (lab) => {
      await lab.commit(1, { effects: [intent('one')] })
      await lab.store.confirmEffects(lab.at, lab.token, [{ idempotencyKey: 'one', turn: 0, to: 'confirmed' }])
      await lab.commit(2, { effects: [intent('one')] })
      expect((await lab.store.audit(lab.at)).counters.effects).toMatchObject({ recorded: 1, pending: 0 })
    },
  },
  'type of effects-pending': {
    'foreign pending effects refuse the commit': wrongType('effectsPending', () => ({
      effects: [intent('one')],
    })),
  },
  'effects within the call': {
    'of two effects with one key in a commit one is recorded': async (lab) => {
      await lab.commit(1, { effects: [intent('one'), intent('one')] })
      expect((await lab.store.audit(lab.at)).differences).toEqual([])
    },
  },
  'numbers within the call': {
    'two entries of one channel have different numbers': async (lab) => {
      const result = await lab.commit(1, { outbox: [draft(0, 'a', 'b'), draft(1, 'c'), draft(0, 'a')] })
      expect(result).toEqual({ status: 'committed', numbers: [1, 1, 3] })
    },
  },
  ...atOnceScenarios,
  'foreign outbox': {
    'an entry beyond ours refuses the commit': async (lab) => {
      await lab.redis.xadd(lab.names.outbox, '99-1', 'who', 'else')
      await expectRefused(lab, () => lab.commit(1, { outbox: [draft(0, 'a')] }))
    },
    'a foreign type refuses the commit': wrongType('outbox', () => ({ outbox: [draft(0, 'a')] })),
  },
})
