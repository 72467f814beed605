import { describe, expect, test } from 'vitest'
import type { GroupStoreUnderTest } from './group-fixture.ts'
import { LeasedGroup } from './group-fixture.ts'
import { stateOf } from './parts.ts'

/** States of keys: written with the position, read by key. */
export function describeStates(subject: () => GroupStoreUnderTest): void {
  describe('states', () => {
    test('are written with the position and read in the order asked for', async () => {
      const group = await LeasedGroup.open(subject(), 'a', 'b')
      const [a, b] = [
        stateOf('a', 1, { name: 'Zoë "x" \\ \u001e\n' }),
        { ...stateOf('b', 2), ops: '{"w":[1]}' },
      ]
      await group.commit(2, { states: [a, b] })
      const found = await group.store.loadStates(group.at, ['b', 'nobody', 'a'])
      expect(found.map(({ key }) => key)).toEqual(['b', 'nobody', 'a'])
      expect(found.map(({ state }) => state)).toEqual([
        { version: 1, seq: 2, state: b.state, ops: b.ops },
        undefined,
        { version: 1, seq: 1, state: a.state, ops: '' },
      ])
    })

    test('are replaced, kept where a commit does not name them, and removed', async () => {
      const group = await LeasedGroup.open(subject(), 'a', 'b', 'a', 'b')
      await group.commit(2, { states: [stateOf('a', 1), stateOf('b', 2)] })
      await group.commit(3, { states: [stateOf('a', 3)] })
      await group.commit(4, { states: [{ key: 'b', removed: true }] })
      const found = await group.store.loadStates(group.at, ['a', 'b'])
      expect(found.map(({ state }) => state?.seq)).toEqual([3, undefined])
    })

    test('of thousands of keys go into one commit', async () => {
      const group = await LeasedGroup.open(subject(), 'a')
      const keys = Array.from({ length: 5_000 }, (_, at) => `key-${at}`)
      await group.commit(1, { states: keys.map((key) => stateOf(key, 1)) })
      for (let at = 0; at < keys.length; at += 1_000) {
        const found = await group.store.loadStates(group.at, keys.slice(at, at + 1_000))
        expect(found.every(({ state }) => state?.seq === 1)).toBe(true)
      }
      const tooMany = [...keys, 'one-more'].map((key) => stateOf(key, 1))
      await expect(group.commit(1, { states: tooMany })).rejects.toMatchObject({ code: 'commit.too-large' })
    })

    test.each([
      ['a key that holds a separator', stateOf('a\u001eb', 1)],
      ['a state in two lines', { ...stateOf('a', 1), state: '{\n}' }],
      ['memory in two lines', { ...stateOf('a', 1), ops: '{\n}' }],
      ['no whole seq', stateOf('a', 0.5)],
    ])('%s is a mistake in code', async (_, state) => {
      const group = await LeasedGroup.open(subject(), 'a')
      const before = await group.everything(['a'])
      await expect(group.commit(1, { states: [state] })).rejects.toThrow(TypeError)
      expect(await group.everything(['a'])).toEqual(before)
    })

    test('of generations and groups do not mix', async () => {
      const group = await LeasedGroup.open(subject(), 'a')
      const { store, at } = group
      await group.commit(1, { states: [stateOf('a', 1)] })
      for (const other of [
        { ...at, generation: 1 },
        { ...at, group: 'others' },
      ]) {
        expect((await store.loadStates(other, ['a']))[0]?.state).toBeUndefined()
        const lease = await store.acquire(other, 'one', 1_000)
        expect(lease).toMatchObject({ n: 0, position: { seq: 0 } })
      }
      expect(await store.renew(at, group, 1_000)).toMatchObject({ status: 'renewed' })
    })

    test('a group without a record begins where it is told to, once', async () => {
      const group = await LeasedGroup.open(subject(), 'a', 'b', 'c')
      const at = { ...group.at, group: 'late' }
      const [first, second] = group.positions
      const nowhere = { id: '99999999999999-9', seq: 9 }
      await expect(group.store.acquire(at, 'm', 1_000, nowhere)).rejects.toMatchObject({
        code: 'commit.refused',
      })
      expect(await group.store.acquire(at, 'm', 1_000, second)).toMatchObject({
        position: { id: second?.id, seq: 2 },
      })
      expect(await group.store.acquire(at, 'm', 1_000, first)).toMatchObject({ position: { seq: 2 } })
      expect(await group.store.audit(at)).toMatchObject({
        counters: { base: 2, tip: 3, done: 0 },
        unsettled: 1,
        differences: [],
      })
    })
  })
}
