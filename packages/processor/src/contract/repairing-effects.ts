import { describe, expect, test } from 'vitest'
import type { EffectChange } from '../effect-ledger.ts'
import type { EffectFilter, EffectRuleRequest, EffectRuleResult } from '../effect-repairs.ts'
import { type GroupStoreUnderTest, LeasedGroup } from './group-fixture.ts'
import { intent } from './parts.ts'

const said = {
  id: 'r1',
  idempotencyKey: 'x',
  kind: 'requeued',
  by: 'ada',
  reason: 'mended: "Zoë" \\',
} as const

const died = (idempotencyKey: string, note: unknown, turn = 0): EffectChange => ({
  idempotencyKey,
  turn,
  to: 'dead',
  note,
})
const refused = { atMs: 100, fingerprint: 'f1', reason: 'mail.refused' }

/** What operators decide about effects that could not be carried out. */
export function describeRepairingEffects(subject: () => GroupStoreUnderTest): void {
  /** Effects x, y and z of the key k and w of another one; x is dead. */
  async function open(): Promise<LeasedGroup> {
    const group = await LeasedGroup.open(subject(), 'a', 'b')
    await group.commit(1, { effects: [intent('x'), intent('w', 'other'), intent('y'), intent('z')] })
    await confirm(group, died('x', refused))
    return group
  }
  const confirm = (group: LeasedGroup, ...changes: readonly EffectChange[]) =>
    group.store.confirmEffects(group.at, group.token, changes)
  const rule = (group: LeasedGroup, parts: Partial<EffectRuleRequest> = {}): Promise<EffectRuleResult> =>
    group.store.ruleEffect(group.at, { ...said, ...parts })
  const ledger = async (group: LeasedGroup) => {
    const { counters, differences } = await group.store.audit(group.at)
    expect(differences).toEqual([])
    return counters.effects
  }
  const pending = async (group: LeasedGroup) =>
    (await group.store.pendingEffects(group.at)).items.map(({ idempotencyKey }) => idempotencyKey)

  describe('rulings on effects', () => {
    test('put a dead effect back, in its place, for its owner to find, and note who decided', async () => {
      const group = await open()
      const { store, at } = group
      expect(await rule(group)).toEqual({ status: 'ruled', key: 'k' })
      expect(await pending(group)).toEqual(['x', 'w', 'y', 'z'])
      const [back] = await store.requeuedEffects(at)
      expect(back).toMatchObject({ ...intent('x'), status: 'pending', no: 1, turn: 2, note: refused })
      expect(back?.ruling).toMatchObject({ kind: 'requeued', id: 'r1', by: 'ada', reason: said.reason })
      expect(await store.effectNamed(at, 'x')).toEqual(back)
      expect((await store.deadEffects(at)).items).toEqual([])
      expect((await store.repairEntries(at)).items).toMatchObject([
        { id: 'r1', seq: 1, key: 'k', kind: 'requeued', on: 'effect', effect: 'x', by: 'ada' },
      ])
      expect(await ledger(group)).toMatchObject({ recorded: 4, pending: 4, dead: 0 })
      await confirm(group, { idempotencyKey: 'x', turn: 2, to: 'confirmed' })
      expect(await store.requeuedEffects(at)).toEqual([])
      expect(await store.effectNamed(at, 'x')).toBeUndefined()
      expect(await ledger(group)).toMatchObject({ recorded: 4, pending: 3, confirmed: 1 })
    })

    test('ignore it: it is never carried out', async () => {
      const group = await open()
      expect(await rule(group, { kind: 'ignored' })).toEqual({ status: 'ruled', key: 'k' })
      expect(await pending(group)).toEqual(['w', 'y', 'z'])
      expect(await ledger(group)).toMatchObject({ recorded: 4, pending: 3, dead: 0, ignored: 1 })
      expect(await rule(group, { kind: 'ignored' })).toEqual({ status: 'settled' })
      await group.commit(2, { effects: [intent('x')] })
      expect(await ledger(group)).toMatchObject({ recorded: 4 })
    })

    test('correct its payload, and keep the one from before, also the next time', async () => {
      const group = await open()
      const { original } = { original: intent('x').payload }
      expect(await rule(group, { kind: 'corrected', payload: { to: 'Zoë "\n' } })).toMatchObject({
        status: 'ruled',
      })
      const corrected = {
        payload: JSON.stringify({ to: 'Zoë "\n' }),
        ruling: { kind: 'corrected', original },
      }
      expect(await group.store.requeuedEffects(group.at)).toMatchObject([corrected])
      await confirm(group, died('x', refused, 2))
      expect((await group.store.deadEffects(group.at)).items).toMatchObject([{ effect: corrected }])
      await rule(group, { id: 'r2' })
      expect(await group.store.requeuedEffects(group.at)).toMatchObject([
        { payload: corrected.payload, ruling: { kind: 'requeued', id: 'r2', original } },
      ])
    })

    test('repeated do nothing: by the same request for ever, by another one until they are carried out', async () => {
      const group = await open()
      await rule(group)
      const before = await group.everything()
      expect(await rule(group)).toEqual({ status: 'already' })
      expect(await rule(group, { id: 'r2' })).toEqual({ status: 'already' })
      expect(await rule(group, { id: 'r2', kind: 'ignored' })).toEqual({ status: 'open', now: 'pending' })
      expect(await group.everything()).toEqual(before)
      await confirm(group, died('x', refused, 2))
      expect(await rule(group)).toEqual({ status: 'already' })
      expect(await rule(group, { id: 'r2' })).toMatchObject({ status: 'ruled' })
      await confirm(group, { idempotencyKey: 'x', turn: 4, to: 'confirmed' })
      expect(await rule(group, { id: 'r2' })).toEqual({ status: 'settled' })
      expect((await group.store.repairEntries(group.at)).items).toHaveLength(2)
    })

    test('need force when later effects of the key were carried out meanwhile, and say which', async () => {
      const group = await open()
      await confirm(group, { idempotencyKey: 'w', turn: 0, to: 'confirmed' })
      expect(await rule(group, { dryRun: true })).toEqual({ status: 'ruled', key: 'k' })
      await confirm(
        group,
        { idempotencyKey: 'y', turn: 0, to: 'confirmed' },
        { idempotencyKey: 'z', turn: 0, to: 'confirmed' },
      )
      const overtaken = { count: 2, first: 3, last: 4 }
      expect(await rule(group)).toEqual({ status: 'overtaken', overtaken })
      expect(await rule(group, { dryRun: true })).toEqual({ status: 'ruled', key: 'k', overtaken })
      expect(await ledger(group)).toMatchObject({ dead: 1 })
      expect(await rule(group, { force: true })).toEqual({ status: 'ruled', key: 'k', overtaken })
      expect((await group.store.repairEntries(group.at)).items).toMatchObject([{ overtaken }])
      // What was known of the key is forgotten with its last dead effect.
      await confirm(group, died('x', refused, 2))
      expect(await rule(group, { id: 'r2' })).toEqual({ status: 'ruled', key: 'k' })
    })

    test('are not overtaken by earlier effects, and need no force to ignore', async () => {
      const group = await open()
      await confirm(group, died('y', refused), { idempotencyKey: 'z', turn: 0, to: 'confirmed' })
      await rule(group, { force: true })
      await confirm(group, { idempotencyKey: 'x', turn: 2, to: 'confirmed' })
      const last = { idempotencyKey: 'y', id: 'r2' }
      expect(await rule(group, last)).toEqual({
        status: 'overtaken',
        overtaken: { count: 1, first: 4, last: 4 },
      })
      expect(await rule(group, { ...last, kind: 'ignored' })).toEqual({ status: 'ruled', key: 'k' })
    })

    test('go for dead effects alone, as they were seen', async () => {
      const group = await open()
      const before = await group.everything()
      expect(await rule(group, { turn: 0 })).toEqual({ status: 'changed', turn: 1 })
      expect(await rule(group, { idempotencyKey: 'y' })).toEqual({ status: 'open', now: 'pending' })
      expect(await rule(group, { idempotencyKey: 'unknown' })).toEqual({ status: 'gone' })
      expect(await group.everything()).toEqual(before)
      expect(await rule(group, { turn: 1 })).toMatchObject({ status: 'ruled' })
    })

    test.each<Partial<EffectRuleRequest>>([
      { id: 'two words' },
      { idempotencyKey: '' },
      { by: '' },
      { reason: 'x'.repeat(1_001) },
      { kind: 'corrected' },
      { payload: {} },
      { turn: 0.5 },
    ])('%j is a mistake in code', async (parts) => {
      await expect(rule(await open(), parts)).rejects.toThrow(TypeError)
    })

    test('a list of dead effects can be filtered, page by page, oldest first', async () => {
      const group = await open()
      await confirm(
        group,
        died('w', { atMs: 50, fingerprint: 'f2' }),
        died('y', { atMs: 100, reason: 'mail.refused' }),
        died('z', 'broken'),
      )
      const list = async (filter: EffectFilter) =>
        (await group.store.deadEffects(group.at, { filter })).items.map(({ effect }) => effect.idempotencyKey)
      expect(await list({})).toEqual(['z', 'w', 'x', 'y'])
      expect(await list({ key: 'k' })).toEqual(['z', 'x', 'y'])
      expect(await list({ reasonClass: 'mail.refused' })).toEqual(['y'])
      expect(await list({ reasonClass: 'other', key: 'k' })).toEqual(['z'])
      expect(await list({ name: 'quote', fromMs: 50, untilMs: 99 })).toEqual(['w'])
      expect(await list({ name: 'none' })).toEqual([])
      const first = await group.store.deadEffects(group.at, { limit: 3 })
      expect(first).toMatchObject({ items: [{ atMs: 0 }, { atMs: 50 }, { atMs: 100 }], next: '100 1' })
      const rest = await group.store.deadEffects(group.at, { limit: 3, after: '100 1' })
      expect(rest).toMatchObject({ items: [{ effect: { idempotencyKey: 'y' } }], next: undefined })
    })
  })
}
