import { describe, expect, test } from 'vitest'
import type { EffectChange } from '../effect-ledger.ts'
import type { GroupStoreUnderTest } from './group-fixture.ts'
import { LeasedGroup } from './group-fixture.ts'
import { intent } from './parts.ts'

const change = (idempotencyKey: string, to: EffectChange['to'], turn = 0, note?: unknown): EffectChange => ({
  idempotencyKey,
  to,
  turn,
  ...(note === undefined ? {} : { note }),
})

/** The ledger of effects: recorded once, changed turn by turn, under the token. */
export function describeEffects(subject: () => GroupStoreUnderTest): void {
  async function recorded(...ids: readonly string[]): Promise<LeasedGroup> {
    const group = await LeasedGroup.open(subject(), 'a', 'b')
    await group.commit(1, { effects: ids.map((id, at) => intent(id, `k${at % 2}`)) })
    return group
  }
  const counters = async (group: LeasedGroup) => (await group.store.audit(group.at)).counters.effects
  const confirm = (group: LeasedGroup, ...changes: readonly EffectChange[]) =>
    group.store.confirmEffects(group.at, group.token, changes)

  describe('effects', () => {
    test('are recorded in order, as they were given', async () => {
      const group = await recorded('x y', 'y', 'z')
      expect((await group.store.pendingEffects(group.at)).items).toEqual(
        ['x y', 'y', 'z'].map((id, at) => ({
          ...intent(id, `k${at % 2}`),
          status: 'pending',
          no: at + 1,
          turn: 0,
          note: null,
        })),
      )
      const page = await group.store.pendingEffects(group.at, { limit: 2 })
      expect(page.next).toBe('2')
      expect(await group.store.pendingEffects(group.at, { after: '2' })).toMatchObject({
        items: [{ idempotencyKey: 'z' }],
        next: undefined,
      })
    })

    test('with a known key are not recorded again: in one commit, while open, when settled', async () => {
      const group = await recorded('x', 'y', 'x')
      await confirm(group, change('y', 'confirmed'))
      await group.commit(2, { effects: [intent('x'), intent('y'), intent('z')] })
      expect(await counters(group)).toMatchObject({ recorded: 3, pending: 2, confirmed: 1 })
      expect((await group.store.pendingEffects(group.at)).items.map(({ no }) => no)).toEqual([1, 3])
    })

    test('go from turn to turn, with what was noted, and keep their place', async () => {
      const group = await recorded('x', 'y')
      expect(await confirm(group, change('x', 'parked', 0, { error: 'Zoë "away" \\' }))).toEqual(['moved'])
      const parked = await group.store.pendingEffects(group.at, { status: 'parked' })
      expect(parked.items).toMatchObject([{ no: 1, turn: 1, note: { error: 'Zoë "away" \\' } }])
      await confirm(group, change('x', 'pending', 1))
      await confirm(group, change('x', 'dead', 2, 'broken'), change('y', 'ignored'))
      expect((await group.store.pendingEffects(group.at)).items).toEqual([])
      expect((await group.store.pendingEffects(group.at, { status: 'dead' })).items).toMatchObject([
        { ...intent('x', 'k0'), no: 1, turn: 3, note: 'broken' },
      ])
      await confirm(group, change('x', 'pending', 3))
      expect(await confirm(group, change('x', 'confirmed', 4))).toEqual(['moved'])
      expect(await counters(group)).toEqual({
        recorded: 2,
        pending: 0,
        parked: 0,
        dead: 0,
        confirmed: 1,
        ignored: 1,
        withheld: 0,
        forgotten: 0,
      })
    })

    test('a repeated change is answered as done, a late one as stale, and neither changes anything', async () => {
      const group = await recorded('x', 'y')
      await confirm(group, change('x', 'confirmed'), change('y', 'parked'))
      const before = await group.everything()
      expect(await confirm(group, change('x', 'confirmed'), change('y', 'parked'))).toEqual([
        'already',
        'already',
      ])
      await confirm(group, change('y', 'pending', 1))
      expect(await confirm(group, change('y', 'parked'), change('unknown', 'confirmed'))).toEqual([
        'stale',
        'stale',
      ])
      expect((await group.everything()).audit.differences).toEqual(before.audit.differences)
      expect(await counters(group)).toMatchObject({ pending: 1, parked: 0, confirmed: 1 })
    })

    test('of a member without the lease cannot be confirmed', async () => {
      const group = await recorded('x')
      const { token } = group
      await group.take()
      expect(await group.store.confirmEffects(group.at, token, [change('x', 'confirmed')])).toBe('fenced')
      await group.store.release(group.at, group.token)
      expect(await group.store.confirmEffects(group.at, '', [change('x', 'confirmed')])).toBe('fenced')
      expect(await counters(group)).toMatchObject({ pending: 1 })
    })

    test('two changes of one effect in a call are a mistake in code', async () => {
      const group = await recorded('x')
      await expect(confirm(group, change('x', 'parked'), change('x', 'pending', 1))).rejects.toThrow(
        TypeError,
      )
      expect(await confirm(group)).toEqual([])
    })

    test.each(['', 'line\nbreak', 'Zoë', 'x'.repeat(513)])('%j is no idempotency key', async (id) => {
      const group = await LeasedGroup.open(subject(), 'a')
      await expect(group.commit(1, { effects: [intent(id)] })).rejects.toThrow(TypeError)
    })
  })
}
