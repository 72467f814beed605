import { describe, expect, test } from 'vitest'
import { letter } from './parts.ts'
import { type Open, rule } from './ruled-group.ts'

/** What becomes of dead letters that operators have put back. */
export function describeLateRuns(open: Open): void {
  describe('dead letters', () => {
    test('that are ignored are done', async () => {
      const group = await open('a', 'b')
      const { store, at } = group
      await group.commit(2, { done: 1, dead: [letter(1, '1-1', 'a')] })
      expect(await rule(group)).toEqual({ status: 'ruled', on: 'dead' })
      expect(await store.audit(at)).toMatchObject({ counters: { done: 2, dead: 0 }, differences: [] })
      expect(await store.deadLetters(at)).toEqual([])
    })

    test('that later events of their key have overtaken run late by force alone', async () => {
      const group = await open('a', 'b', 'a', 'a', 'a')
      const { store, at } = group
      await group.commit(3, { ahead: [5], dead: [letter(1, '1-1', 'a')] })
      const overtaken = { count: 3, first: 3, last: 5 }
      expect(await rule(group, { kind: 'requeued' })).toEqual({ status: 'overtaken', overtaken })
      expect(await rule(group, { kind: 'requeued', dryRun: true })).toEqual({
        status: 'ruled',
        on: 'dead',
        overtaken,
      })
      expect((await store.audit(at)).counters).toMatchObject({ dead: 1, requeued: 0 })
      expect(await rule(group, { kind: 'requeued', force: true })).toEqual({
        status: 'ruled',
        on: 'dead',
        overtaken,
      })
      expect(await store.audit(at)).toMatchObject({ counters: { dead: 0, requeued: 1 }, differences: [] })
      expect((await store.requeued(at)).items).toEqual([{ seq: 1, id: '1-1', key: 'a' }])
      expect((await store.repairEntries(at)).items).toMatchObject([{ overtaken }])
      expect(await rule(group, { id: 'r2', kind: 'requeued' })).toEqual({ status: 'already' })
      expect(await rule(group, { id: 'r2' })).toEqual({ status: 'pending', kind: 'requeued' })
    })

    test('that nothing has overtaken need no force', async () => {
      const group = await open('a', 'b')
      await group.commit(2, { dead: [letter(1, '1-1', 'a')] })
      expect(await rule(group, { kind: 'requeued' })).toEqual({ status: 'ruled', on: 'dead' })
    })

    test('are journalled where they ran late, with their ruling', async () => {
      const group = await open('a', 'b', 'a')
      const { store, at } = group
      await group.commit(3, { dead: [letter(1, '1-1', 'a'), letter(2, '1-2', 'b')] })
      await rule(group, { kind: 'requeued', force: true })
      await rule(group, { kind: 'corrected', data: { n: 2 }, id: 'r2', seq: 2, key: 'b' })
      expect((await store.rulings(at, [1])).get(1)).not.toHaveProperty('ran')
      const again = { ...letter(2, '1-2', 'b'), atMs: 5 }
      await group.commit(3, { late: [1, 2], dead: [again], lateRuns: [{ seq: 1, afterSeq: 3 }] })
      const rulings = await store.rulings(at, [1, 2, 3])
      expect(rulings.get(1)).toMatchObject({ kind: 'requeued', of: 'dead', ran: { afterSeq: 3, no: 1 } })
      expect(rulings.get(2)).toMatchObject({ kind: 'corrected' })
      expect(rulings.get(2)).not.toHaveProperty('ran')
      expect(rulings.size).toBe(2)
      await expect(group.commit(3, { lateRuns: [{ seq: 2, afterSeq: 3 }] })).rejects.toThrow(TypeError)
    })

    test('are journalled among the firings of their commit in the order in which they came', async () => {
      const group = await open('a', 'a')
      const { store, at } = group
      const timers = ['x', 'y', 'z'].map((name) => ({ key: 'a', name, dueMs: 5 }))
      await group.commit(2, { dead: [letter(1, '1-1', 'a')], timers })
      await rule(group, { kind: 'requeued', force: true })
      const firings = timers.map((timer) => ({ ...timer, afterSeq: 2 }))
      await group.commit(2, { late: [1], lateRuns: [{ seq: 1, afterSeq: 2, afterFirings: 2 }], firings })
      expect((await store.rulings(at, [1])).get(1)).toMatchObject({ ran: { no: 3 } })
      expect((await store.firings(at)).items.map(({ name, no }) => `${name} ${no}`)).toEqual([
        'x 1',
        'y 2',
        'z 4',
      ])
      const next = { key: 'a', name: 'x', dueMs: 9 }
      await group.commit(2, { timers: [next] })
      await group.commit(2, { firings: [{ ...next, afterSeq: 2 }] })
      expect((await store.firings(at)).items.at(-1)).toMatchObject({ name: 'x', no: 5 })
    })

    test('are settled late by a commit, done or dead again', async () => {
      const group = await open('a', 'b')
      const { store, at } = group
      await group.commit(2, { dead: [letter(1, '1-1', 'a'), letter(2, '1-2', 'b')] })
      await rule(group, { kind: 'requeued' })
      await rule(group, { kind: 'requeued', id: 'r2', seq: 2, key: 'b' })
      await expect(group.commit(2, { late: [3] })).rejects.toMatchObject({ details: { fault: 'late' } })
      await group.commit(2, { done: 1, late: [1, 2], dead: [{ ...letter(2, '1-2', 'b'), atMs: 5 }] })
      expect(await store.audit(at)).toMatchObject({
        counters: { done: 1, dead: 1, requeued: 0 },
        differences: [],
      })
      expect(await rule(group, { kind: 'requeued' })).toEqual({ status: 'already' })
      expect(await rule(group, { kind: 'requeued', id: 'r3', seq: 2, key: 'b' })).toMatchObject({
        status: 'ruled',
      })
    })
  })
}
