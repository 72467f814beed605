import type { EffectRuleRequest, EffectRuleResult } from '@millrace/processor'
import { intent } from '@millrace/processor/contract'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectRefused, type GroupScenario, openLab } from '../../../test/support/group-guards.ts'
import type { GroupLab } from '../../../test/support/group-lab.ts'
import { describeGuards } from '../../../test/support/guards.ts'
import { storyScenarios } from '../../../test/support/story-guards.ts'
import { startRedis, type TestRedis } from '../../../test/support/redis.ts'
import { scriptSource } from './script-source.ts'

let server: TestRedis | undefined
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => server?.stop())

const said = { id: 'r1', idempotencyKey: 'one', kind: 'requeued', by: 'ada', reason: 'mended' } as const

const rule = (lab: GroupLab, parts: Partial<EffectRuleRequest> = {}) =>
  lab.store.ruleEffect(lab.at, { ...said, ...parts })

const confirm = (lab: GroupLab, idempotencyKey: string, to: 'dead' | 'confirmed', turn = 0) =>
  lab.store.confirmEffects(lab.at, lab.token, [{ idempotencyKey, turn, to }])

/** Two effects of a key: the first is dead. */
async function withDead(lab: GroupLab): Promise<void> {
  await lab.commit(1, { effects: [intent('one'), intent('two')] })
  await confirm(lab, 'one', 'dead')
}

/** The same, and the second is carried out. */
async function withPassed(lab: GroupLab): Promise<void> {
  await withDead(lab)
  await confirm(lab, 'two', 'confirmed')
}

/** What Redis holds stays as it is, byte for byte. */
const unchanged =
  (
    before: (lab: GroupLab) => Promise<unknown>,
    parts: Partial<EffectRuleRequest>,
    answer: EffectRuleResult,
  ): GroupScenario =>
  async (lab) => {
    await before(lab)
    const stored = await lab.dump()
    expect(await rule(lab, parts)).toMatchObject(answer)
    expect(await lab.dump()).toEqual(stored)
  }

const foreign =
  (name: keyof GroupLab['names'], parts: Partial<EffectRuleRequest> = {}): GroupScenario =>
  async (lab) => {
    await withDead(lab)
    await lab.redis.set(lab.names[name], 'foreign')
    await expectRefused(lab, () => rule(lab, parts))
  }

const open = openLab(() => server?.url ?? '', 'effectsRule')

test('a foreign audit log refuses the ruling before anything is written', async () => {
  const { context: lab, close } = await open(scriptSource('effects-rule.lua'))
  await expect(foreign('repairs')(lab)).resolves.toBeUndefined()
  await close()
})

describeGuards('effects-rule.lua', scriptSource('effects-rule.lua'), open, {
  ...storyScenarios((lab) => rule(lab), withDead),
  'type of the group': { 'a foreign record refuses the ruling': foreign('group') },
  'type of effects-pending': { 'foreign pending effects refuse it': foreign('effectsPending') },
  'type of effects-dead': { 'foreign dead effects refuse it': foreign('effectsDead') },
  'type of effects-settled': {
    'foreign settled effects refuse it': foreign('effectsSettled', { kind: 'ignored' }),
  },
  'type of the index of dead effects': { 'a foreign index refuses it': foreign('effectsIndex') },
  'type of effects-passed': {
    'foreign notes of what has passed refuse it': foreign('effectsPassed', { kind: 'ignored' }),
  },
  'type of effects-requeued': { 'foreign requeued effects refuse it': foreign('effectsRequeued') },
  'repeated repair': {
    'the same request again is known when the effect has died again': unchanged(
      async (lab) => {
        await withDead(lab)
        await rule(lab)
        await confirm(lab, 'one', 'dead', 2)
      },
      {},
      { status: 'already' },
    ),
  },
  'not dead': {
    'what waits to be carried out is not ruled on': unchanged(
      withDead,
      { idempotencyKey: 'two' },
      { status: 'open', now: 'pending' },
    ),
    'the same ruling by another request waits already': unchanged(
      async (lab) => {
        await withDead(lab)
        await rule(lab)
      },
      { id: 'r2' },
      { status: 'already' },
    ),
  },
  'turn that was seen': {
    'an effect that has changed since is not ruled on': unchanged(
      withDead,
      { turn: 0 },
      { status: 'changed', turn: 1 },
    ),
  },
  force: {
    'what later effects have overtaken is put back by force alone': unchanged(
      withPassed,
      {},
      { status: 'overtaken', overtaken: { count: 1, first: 2, last: 2 } },
    ),
  },
  'dry run': {
    'a dry run changes nothing': unchanged(withPassed, { dryRun: true }, { status: 'ruled', key: 'k' }),
  },
})
