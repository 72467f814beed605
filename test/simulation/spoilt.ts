import type { Commit, EffectChange } from '@millrace/processor'
import type { GroupKeys, PartitionKeys, StoryKeys } from '../../packages/redis/src/keys.ts'
import type { Harm } from './simulated-server.ts'

/** Whether a commit has such a part. */
const has =
  (...parts: readonly (keyof Commit)[]) =>
  (what: string, content: unknown): boolean =>
    what.startsWith('commit') &&
    parts.some((part) => {
      const list = (content as Commit)[part]
      return Array.isArray(list) && list.length > 0
    })
const confirms = (what: string): boolean => what === 'confirm'
const changesTo =
  (to: EffectChange['to']) =>
  (what: string, content: unknown): boolean =>
    confirms(what) && (content as readonly EffectChange[]).some((change) => change.to === to)

const tells = (what: string, content: unknown): boolean =>
  confirms(what) ? (content as readonly EffectChange[]).some(({ fact }) => fact) : has('facts')(what, content)
const either =
  (...all: readonly Harm['concerns'][]): Harm['concerns'] =>
  (what, content) =>
    all.some((one) => one(what, content))

/** What operators' calls meet. */
const ofOperators = {
  rule: [
    'group',
    'dead',
    'deadIndex',
    'parked',
    'parkedDue',
    'deferred',
    'requeued',
    'rulings',
    'facts',
    'times',
  ],
  ruleEffect: [
    'group',
    'effects',
    'effectsPending',
    'effectsDead',
    'effectsSettled',
    'effectsIndex',
    'effectsPassed',
    'effectsRequeued',
    'facts',
    'times',
  ],
  settleWithheld: [
    'group',
    'withheld',
    'withheldOrder',
    'effects',
    'effectsSettled',
    'effectsPending',
    'effectsRequeued',
  ],
  keepMigration: ['states', 'migrations'],
} as const

/** What can be of a foreign type, and the calls that meet it. */
export const spoilt: readonly (readonly [keyof (GroupKeys & PartitionKeys & StoryKeys), Harm['concerns']])[] =
  [
    ['meta', (what) => /^(acquire|commit)/.test(what)],
    ['group', (what) => /^(acquire|commit|confirm|forwarded)/.test(what)],
    ['dead', has('dead')],
    ['states', has('states')],
    ['parked', has('parks', 'unparks')],
    ['parked', has('lines')],
    ['parkedHeads', has('parks', 'unparks')],
    ['parkedDue', has('parks', 'unparks')],
    ['deadIndex', has('dead')],
    ['deferred', has('defers')],
    ['deferredHeads', has('defers')],
    ['requeued', has('late')],
    ['rulings', (what, content) => has('lateRuns')(what, content) && !has('heeded')(what, content)],
    ['timers', has('timers', 'firings')],
    ['journal', has('firings')],
    ['migrations', has('migrations')],
    ['outbox', either((what) => what === 'forwarded', has('outbox'))],
    ['effects', either(confirms, has('effects', 'withheld'))],
    ['effectsPending', either(confirms, has('effects'))],
    ['effectsSettled', either(confirms, has('effects', 'withheld'))],
    ['withheld', has('withheld')],
    ['withheldOrder', has('withheld')],
    ['effectsParked', changesTo('parked')],
    ['effectsDead', changesTo('dead')],
    ['effectsIndex', changesTo('dead')],
    ['effectsPassed', changesTo('confirmed')],
    ['effectsRequeued', confirms],
    ['facts', tells],
    ['times', tells],
    ['marks', (what, content) => what.startsWith('commit') && (content as Commit).settled !== undefined],
    ...Object.entries(ofOperators).flatMap(([call, names]) =>
      names.map((name) => [name, (what: string) => what === call] as const),
    ),
  ]

/** What is met by calls that only some operators make. */
export const seldomSpoilt: typeof spoilt = Object.entries({
  dropStates: ['group', 'states', 'timers', 'migrations', 'repairs'],
  setShadow: ['shadow', 'repairs'],
} as const).flatMap(([call, names]) => names.map((name) => [name, (what: string) => what === call] as const))
