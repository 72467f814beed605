import { describe, expect, test } from 'vitest'
import type { MigratedKey } from '../migrated-key.ts'
import { isDropped } from '../shadow/dropped-mark.ts'
import type { GroupStoreUnderTest } from './group-fixture.ts'
import { LeasedGroup } from './group-fixture.ts'
import { intent, stateOf } from './parts.ts'

export const taken = (key: string, seq = 1): MigratedKey => ({
  key,
  seq,
  id: `1700000000000-${seq}`,
  atMs: 1_700_000_000_000,
  asOf: { ms: 1_600_000_000_000 },
  version: 2,
  state: '{"name":"Zoë \\"x\\""}',
})

const said = { by: 'ada', reason: 'as "Zoë" \\ said' } as const

/** Running beside another system: keys that are taken over, effects that are withheld, states that are dropped. */
export function describeShadowing(subject: () => GroupStoreUnderTest): void {
  describe('migrations', () => {
    test('are journalled with the commit, and read by key, whatever the generation', async () => {
      const group = await LeasedGroup.open(subject(), 'a', 'b')
      const unknown: MigratedKey = { ...taken('b'), asOf: undefined, state: '' }
      await group.commit(2, { states: [stateOf('a', 1)], migrations: [taken('a'), unknown] })
      for (const at of [group.at, { ...group.at, generation: 1 }]) {
        const found = await group.store.migrations(at, ['b', 'nobody', 'a'])
        expect([...found.values()]).toEqual([unknown, taken('a')])
      }
    })

    test('of a key happen once: the commit of a second one changes nothing', async () => {
      const group = await LeasedGroup.open(subject(), 'a', 'b')
      await group.commit(1, { migrations: [taken('a')] })
      const before = await group.everything(['a'])
      await expect(
        group.commit(2, { states: [stateOf('a', 2)], migrations: [taken('a', 2)] }),
      ).rejects.toMatchObject({ code: 'commit.refused', details: { fault: 'migrated' } })
      expect(await group.everything(['a'])).toEqual(before)
    })
  })

  test('what is kept of a key without a record is its migration, and a commit that asked by itself is refused', async () => {
    const group = await LeasedGroup.open(subject(), 'a', 'b')
    const { store, at } = group
    await group.commit(1, { states: [stateOf('a', 1)] })
    expect(await store.keepMigration(at, taken('a', 0))).toBe('known')
    expect(await store.keepMigration(at, taken('b', 0))).toBe('kept')
    expect(await store.keepMigration(at, { ...taken('b', 0), state: '{}' })).toBe('known')
    expect([...(await store.migrations(at, ['a', 'b'])).values()]).toEqual([taken('b', 0)])
    await expect(group.commit(2, { migrations: [taken('b', 2)] })).rejects.toMatchObject({
      details: { fault: 'migrated' },
    })
  })

  describe('withheld effects', () => {
    async function shadowed(): Promise<LeasedGroup> {
      const group = await LeasedGroup.open(subject(), 'a', 'b')
      await group.commit(1, { effects: [intent('x')], withheld: [intent('y z', 'b'), intent('w')] })
      return group
    }
    const counters = async ({ store, at }: LeasedGroup) => (await store.audit(at)).counters.effects

    test('are counted, kept, and not pending', async () => {
      const group = await shadowed()
      expect((await group.store.pendingEffects(group.at)).items).toMatchObject([{ idempotencyKey: 'x' }])
      const page = await group.store.withheldEffects(group.at, { limit: 1 })
      expect(page).toEqual({ items: [{ ...intent('y z', 'b'), no: 2 }], next: '2' })
      expect((await group.store.withheldEffects(group.at, { after: '2' })).items).toEqual([
        { ...intent('w'), no: 3 },
      ])
      expect(await counters(group)).toMatchObject({ recorded: 3, pending: 1, withheld: 2, forgotten: 0 })
      expect((await group.store.audit(group.at)).differences).toEqual([])
    })

    test('with a known key are not recorded again: withheld, open, settled, in one commit', async () => {
      const group = await shadowed()
      await group.commit(2, { withheld: ['x', 'w', 'v', 'v'].map((id) => intent(id)) })
      expect(await counters(group)).toMatchObject({ recorded: 4, withheld: 3 })
    })

    test('are carried out only when somebody says so, and for once', async () => {
      const group = await shadowed()
      const { store, at } = group
      const request = { ids: ['y z', 'nobody', 'x'], to: 'released', ...said } as const
      expect(await store.settleWithheld(at, request)).toEqual(['moved', 'gone', 'gone'])
      expect(await store.settleWithheld(at, request)).toEqual(['gone', 'gone', 'gone'])
      expect(await store.settleWithheld(at, { ...request, ids: ['w'], to: 'ignored' })).toEqual(['moved'])
      expect(await counters(group)).toMatchObject({ recorded: 3, pending: 2, withheld: 0, ignored: 1 })
      const back = await store.requeuedEffects(at)
      expect(back).toMatchObject([{ ...intent('y z', 'b'), no: 2, turn: 2, ruling: said }])
      await store.confirmEffects(at, group.token, [{ idempotencyKey: 'y z', turn: 2, to: 'confirmed' }])
      expect(await store.requeuedEffects(at)).toEqual([])
      const { differences } = await store.audit(at)
      expect(differences).toEqual([])
      const { items } = await store.repairEntries(at)
      expect(items).toMatchObject([
        { kind: 'ignored', on: 'withheld', ...said },
        { kind: 'released', on: 'withheld', ...said },
      ])
    })

    test('are not released once they were recorded again and carried out', async () => {
      const group = await shadowed()
      const { store, at, token } = group
      await group.commit(2, { effects: [intent('w')] })
      await store.confirmEffects(at, token, [{ idempotencyKey: 'w', turn: 0, to: 'confirmed' }])
      expect(await store.settleWithheld(at, { ids: ['w'], to: 'released', ...said })).toEqual(['gone'])
    })

    test('a mend of indexes finds those that were released, and one of counters changes none', async () => {
      const group = await shadowed()
      const { store, at } = group
      await store.settleWithheld(at, { ids: ['w'], to: 'released', ...said })
      for (const part of ['indexes', 'counters'] as const) await store.mend(at, { part, ...said })
      expect(await store.requeuedEffects(at)).toMatchObject([{ idempotencyKey: 'w' }])
      expect(await counters(group)).toMatchObject({ recorded: 3, pending: 2, withheld: 1 })
    })
  })

  describe('whose effects are carried out', () => {
    test('is nobody said at first, and then what was said last', async () => {
      const { store, at } = await LeasedGroup.open(subject())
      expect(await store.shadow(at)).toEqual({ no: 0, percent: undefined, keys: new Map() })
      await store.setShadow(at, { percent: 12.5, ...said })
      const keys = [
        { key: 'Zoë "\\', promoted: true },
        { key: 'b', promoted: false },
      ]
      const record = await store.setShadow(at, { keys, ...said })
      expect(record).toMatchObject({ no: 2, percent: 12.5 })
      expect(record.keys).toEqual(new Map(keys.map(({ key, promoted }) => [key, promoted])))
      await store.setShadow(at, { keys: [{ key: 'b', promoted: undefined }], percent: 0, ...said })
      expect(await store.shadow({ ...at, generation: 3 })).toEqual({
        ...{ no: 3, percent: 0 },
        keys: new Map([['Zoë "\\', true]]),
      })
      const { items } = await store.repairEntries(at)
      expect(items.map(({ kind, key }) => [kind, key])).toEqual([
        ['demoted', 'b'],
        ['promoted', ''],
        ['promoted', ''],
      ])
    })

    test('no more than 1,000 keys by name', async () => {
      const { store, at } = await LeasedGroup.open(subject())
      const keys = Array.from({ length: 1_000 }, (_, n) => ({ key: `k${n}`, promoted: true }))
      await store.setShadow(at, { keys, ...said })
      const more = { keys: [{ key: 'more', promoted: false }], ...said }
      await expect(store.setShadow(at, more)).rejects.toMatchObject({ code: 'shadow.crowded' })
      await store.setShadow(at, { keys: [{ key: 'k1', promoted: false }], ...said })
      await store.setShadow(at, { keys: [{ key: 'k1', promoted: undefined }], ...said })
      expect((await store.setShadow(at, more)).keys.size).toBe(1_000)
    })
  })

  describe('dropped states', () => {
    const drop = { history: false, timers: [], logged: true, named: 'a', ...said } as const

    test('leave a mark with the last event, and their migration unless asked', async () => {
      const group = await LeasedGroup.open(subject(), 'a', 'b')
      const { store, at, token } = group
      const timer = { key: 'a', name: 'window' }
      const timers = [
        { ...timer, dueMs: 5 },
        { ...timer, key: 'b', dueMs: 6 },
      ]
      const states = [stateOf('a', 1), stateOf('b', 2)]
      await group.commit(2, { states, migrations: [taken('a'), taken('b')], timers })
      const request = { ...drop, keys: ['a', 'nobody'], timers: [timer] }
      expect(await store.dropStates(at, token, request)).toEqual({
        ...{ status: 'dropped', records: 1, migrations: 0 },
      })
      const [a, b] = await store.loadStates(at, ['a', 'b'])
      expect(a?.state).toMatchObject({ seq: 1, state: '' })
      expect(a?.state && isDropped(a.state)).toBe(true)
      expect(b?.state && isDropped(b.state)).toBe(false)
      expect((await store.dueTimers(at, 9)).timers).toMatchObject([{ key: 'b' }])
      expect(await store.dropStates(at, token, { ...request, history: true })).toMatchObject({
        ...{ records: 0, migrations: 1 },
      })
      expect([...(await store.migrations(at, ['a', 'b'])).keys()]).toEqual(['b'])
      const { items } = await store.repairEntries(at)
      expect(items[0]).toMatchObject({ kind: 'dropped', on: 'state', key: 'a', ...said })
    })

    test('need the token of the lease, which whoever drops seizes', async () => {
      const group = await LeasedGroup.open(subject(), 'a', 'b')
      const { store, at } = group
      await group.commit(1, { states: [stateOf('a', 1)] })
      const lease = await store.seize(at, 'dropper', 1_000)
      expect(lease).toMatchObject({ n: group.n, position: { seq: 1 }, tip: 2 })
      const request = { ...drop, keys: ['a'] }
      for (const token of [group.token, ''])
        expect(await store.dropStates(at, token, request)).toEqual({ status: 'fenced' })
      expect(await store.dropStates(at, lease.token, request)).toMatchObject({ status: 'dropped' })
      expect(await group.commit(2, { states: [stateOf('a', 2)] })).toEqual({ status: 'fenced' })
      expect(await store.acquire(at, 'one', 1_000)).toBeUndefined()
      await store.release(at, lease.token)
      expect(await store.acquire(at, 'one', 1_000)).toMatchObject({ n: group.n })
    })
  })
}
