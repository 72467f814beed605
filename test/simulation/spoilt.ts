import type { Commit, EffectChange } from '@millrace/processor'
import type { GroupKeys, PartitionKeys } from '../../packages/redis/src/keys.ts'
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

/** What can be of a foreign type, and the calls that meet it. */
export const spoilt: readonly (readonly [keyof (GroupKeys & PartitionKeys), Harm['concerns']])[] = [
  ['meta', (what) => /^(acquire|commit)/.test(what)],
  ['group', (what) => /^(acquire|commit|confirm|forwarded)/.test(what)],
  ['dead', has('dead')],
  ['states', has('states')],
  ['parked', has('parks', 'unparks', 'lines')],
  ['parkedHeads', has('parks', 'unparks')],
  ['parkedDue', has('parks', 'unparks')],
  ['deadIndex', has('dead')],
  ['deferred', has('defers')],
  ['deferredHeads', has('defers')],
  ['timers', has('timers', 'firings')],
  ['journal', has('firings')],
  ['outbox', (what, content) => what === 'forwarded' || has('outbox')(what, content)],
  ['effects', (what, content) => confirms(what) || has('effects')(what, content)],
  ['effectsPending', (what, content) => confirms(what) || has('effects')(what, content)],
  ['effectsSettled', (what, content) => confirms(what) || has('effects')(what, content)],
  ['effectsParked', changesTo('parked')],
  ['effectsDead', changesTo('dead')],
  ['effectsIndex', changesTo('dead')],
]
