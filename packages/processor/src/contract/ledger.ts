import { describe, expect, test } from 'vitest'
import type { Commit, CommitFault } from '../commit.ts'
import type { GroupStoreUnderTest } from './group-fixture.ts'
import { LeasedGroup } from './group-fixture.ts'
import { deferral, emitted, intent, letter, park, stateOf } from './parts.ts'

type Open = (...keys: readonly string[]) => Promise<LeasedGroup>

/** Parked keys, deferred events, dead letters, and the equation that none of them may break. */
export function describeLedger(subject: () => GroupStoreUnderTest): void {
  const open: Open = (...keys) => LeasedGroup.open(subject(), ...keys)
  describeParking(open)
  describeDue(open)
  describeDeferring(open)
  describeBalance(open)
}

function describeParking(open: Open): void {
  describe('parked keys', () => {
    test('have a head, a line behind it, and a number that is another one for each head', async () => {
      const group = await open('a', 'b', 'a', 'a')
      await group.commit(2, { done: 1, parks: [park('a', 1)] })
      expect((await group.store.parked(group.at)).items).toEqual([{ ...park('a', 1), no: 1 }])
      await group.commit(4, { done: 0, parks: [park('a', 1, 4, 2, 2)] })
      expect((await group.store.parked(group.at)).items).toEqual([{ ...park('a', 1, 4, 2, 2), no: 1 }])
      await group.commit(4, { done: 1, parks: [park('a', 3, 4, 1)] })
      expect((await group.store.parked(group.at)).items).toEqual([{ ...park('a', 3, 4, 1), no: 3 }])
      await group.commit(4, { done: 2, unparks: [{ key: 'a', last: 4 }] })
      expect(await group.everything(['a'])).toMatchObject({
        keys: [{ parked: undefined }],
        parked: [],
        audit: { counters: { done: 4, parked: 0, lined: 0 }, differences: [] },
      })
    })

    test('are loaded by key, and listed by their heads, page by page', async () => {
      const keys = Array.from({ length: 7 }, (_, at) => `k${at}`)
      const group = await open(...keys)
      await group.commit(7, { parks: keys.map((key, at) => park(key, at + 1)).toReversed() })
      expect((await group.store.loadStates(group.at, ['k3']))[0]?.parked).toMatchObject({ head: 4 })
      const heads: number[] = []
      let after: string | undefined
      do {
        const page = await group.store.parked(group.at, {
          limit: 3,
          ...(after === undefined ? {} : { after }),
        })
        expect(page.items.length).toBeLessThanOrEqual(3)
        heads.push(...page.items.map(({ head }) => head))
        after = page.next
      } while (after !== undefined)
      expect(heads).toEqual([1, 2, 3, 4, 5, 6, 7])
    })
  })
}

function describeDue(open: Open): void {
  describe('parked keys that are due', () => {
    test('are marked once, by the number of their head, and listed in the order of their marks', async () => {
      const group = await open('a', 'b', 'a')
      const { store, at } = group
      await group.commit(3, { parks: [park('a', 1, 3, 1), park('b', 2)] })
      expect(await store.markDue(at, 'b', 1, 'clock', 5)).toBe('due')
      expect(await store.markDue(at, 'a', 1, 'operator', 7)).toBe('due')
      expect(await store.markDue(at, 'b', 1, 'operator', 9)).toBe('already')
      expect(await store.markDue(at, 'b', 2, 'operator', 9)).toBe('stale')
      expect(await store.markDue(at, 'c', 1, 'operator', 9)).toBe('stale')
      const marks = [
        { key: 'b', atMs: 5 },
        { key: 'a', atMs: 7 },
      ]
      expect(await store.dueKeys(at, 9)).toEqual(marks)
      expect(await store.dueKeys(at, 9, 1)).toEqual(marks.slice(0, 1))
      expect(await store.dueKeys(at, 6)).toEqual(marks.slice(0, 1))
    })

    test('stay marked until the head was tried, or is another one, or none', async () => {
      const group = await open('a', 'b', 'a', 'a')
      const { store, at } = group
      const mark = (no: number) => store.markDue(at, 'a', no, 'clock', 1)
      const marked = async () => (await store.dueKeys(at, 1)).length
      await group.commit(1, { parks: [park('a', 1)] })
      await mark(1)
      await group.commit(3, { parks: [park('a', 1, 3, 1)] })
      expect(await marked()).toBe(1)
      await group.commit(3, { parks: [{ ...park('a', 1, 3, 1, 2), tried: true }] })
      expect(await marked()).toBe(0)
      expect((await store.parked(at)).items).toEqual([{ ...park('a', 1, 3, 1, 2), no: 1 }])
      await mark(1)
      await group.commit(3, { parks: [park('a', 3)] })
      expect(await marked()).toBe(0)
      await mark(4)
      await group.commit(4, { unparks: [{ key: 'a', last: 3 }] })
      expect(await marked()).toBe(0)
    })

    test('are not marked by the clock while they wait for an operator', async () => {
      const group = await open('a')
      const { key, note, ...rest } = park('a', 1)
      await group.commit(1, { parks: [{ ...rest, key, note: { ...note, why: 'operator' } }] })
      expect(await group.store.markDue(group.at, key, 1, 'clock', 1)).toBe('stale')
      expect(await group.store.markDue(group.at, key, 1, 'operator', 1)).toBe('due')
    })
  })
}

function describeDeferring(open: Open): void {
  describe('deferred events', () => {
    test('lie in a list for each key, until the list is empty', async () => {
      const group = await open('a', 'b', 'a')
      const { store, at } = group
      await group.commit(1, { done: 0, defers: [{ key: 'a', events: [deferral(1, 9_000)] }] })
      await group.commit(3, {
        done: 0,
        defers: [
          { key: 'b', events: [deferral(2)] },
          { key: 'a', events: [deferral(1, 9_000), deferral(3)] },
        ],
      })
      expect(await store.deferred(at, 'a')).toEqual([deferral(1, 9_000), deferral(3)])
      expect((await store.loadStates(at, ['a']))[0]?.deferred).toHaveLength(2)
      expect(await store.deferredKeys(at, { limit: 1 })).toMatchObject({ items: [{ key: 'a' }], next: '1' })
      expect(await store.deferredKeys(at, { after: '1' })).toMatchObject({ items: [{ key: 'b' }] })
      await group.commit(3, {
        done: 1,
        dead: [letter(1)],
        defers: [
          { key: 'a', events: [] },
          { key: 'b', events: [deferral(2)] },
        ],
      })
      expect(await store.deferred(at, 'a')).toEqual([])
      expect((await store.audit(at)).counters).toMatchObject({ done: 1, deferred: 1, dead: 1 })
    })
  })
}

function describeBalance(open: Open): void {
  describe('conservation', () => {
    test('holds through everything that can become of an event', async () => {
      const group = await open('a', 'b', 'a', 'c', 'd', 'a')
      const steps: readonly [number, Partial<Commit>][] = [
        [0, { done: 0, ahead: [2], defers: [{ key: 'b', events: [deferral(2)] }] }],
        [2, { done: 0, parks: [park('a', 1)] }],
        [3, { done: 0, parks: [park('a', 1, 3, 1)], ahead: [5], dead: [letter(5)] }],
        [5, { done: 2, defers: [{ key: 'b', events: [] }] }],
        [6, { done: 2, parks: [park('a', 6)] }],
        [6, { done: 0, dead: [letter(6)], unparks: [{ key: 'a', last: 6 }] }],
      ]
      for (const [seq, parts] of steps) {
        expect(await group.commit(seq, parts)).toMatchObject({ status: 'committed' })
        expect((await group.store.audit(group.at)).differences).toEqual([])
      }
      expect((await group.store.audit(group.at)).counters).toMatchObject({ done: 4, dead: 2, position: 6 })
    })

    test('without a count, everything is done that went nowhere else', async () => {
      const group = await open('a', 'b', 'c', 'd')
      await group.commit(1, { ahead: [3], dead: [letter(3)] })
      await group.commit(4, { parks: [park('d', 4)] })
      expect(await group.store.audit(group.at)).toMatchObject({
        counters: { done: 2, dead: 1, parked: 1 },
        differences: [],
      })
    })

    const before: Partial<Commit> = { ahead: [4], parks: [park('a', 1, 3, 1)] }
    const refused: readonly [string, CommitFault, number, Partial<Commit>][] = [
      ['that says less is done than was settled', 'balance', 5, { done: 0 }],
      ['that says more is done than was settled', 'balance', 5, { done: 3 }],
      ['that forgets what was settled ahead', 'forgotten', 3, { done: 0 }],
      ['that shortens a line at its end', 'line', 5, { parks: [park('a', 1)] }],
      ['that unparks a key before its line is empty', 'line', 5, { unparks: [{ key: 'a', last: 1 }] }],
      ['that unparks a key that is not parked', 'unparked', 5, { unparks: [{ key: 'b', last: 2 }] }],
      ['that settles what is not on the log', 'beyond', 3, { ahead: [4, 7] }],
    ]
    test.each(refused)('a commit %s is refused with all its parts', async (_, fault, seq, parts) => {
      const group = await open('a', 'b', 'a', 'c', 'd', 'e')
      await group.commit(3, before)
      const stored = await group.everything(['a', 'b'])
      const further = { states: [stateOf('b', 2)], effects: [intent('x')], outbox: emitted(['a']) }
      await expect(group.commit(seq, { ...further, ...parts })).rejects.toMatchObject({
        code: 'commit.refused',
        details: { fault },
      })
      expect(await group.everything(['a', 'b'])).toEqual(stored)
    })

    test.each<[string, Partial<Commit>]>([
      ['parks and unparks a key', { parks: [park('a', 1)], unparks: [{ key: 'a', last: 1 }] }],
      ['parks with a line that does not fit', { parks: [park('a', 1, 2, 2)] }],
      ['defers out of order', { defers: [{ key: 'a', events: [deferral(2), deferral(1)] }] }],
      ['names events ahead out of order', { ahead: [5, 4] }],
      ['names what is behind the position as ahead', { ahead: [1] }],
    ])('a commit that %s is a mistake in code', async (_, parts) => {
      const group = await open('a', 'b', 'c', 'd', 'e')
      await expect(group.commit(1, parts)).rejects.toThrow(TypeError)
    })

    test('a commit of a token that was replaced changes nothing, and the same bytes again neither', async () => {
      const group = await open('a', 'b')
      const parts = { done: 1, states: [stateOf('a', 1)], effects: [intent('x')], outbox: emitted(['a']) }
      const stale = group.next(1, parts)
      await group.take()
      const commit = group.next(1, parts)
      const before = await group.everything(['a'])
      expect(await group.store.commit(group.at, stale)).toEqual({ status: 'fenced' })
      expect(await group.everything(['a'])).toEqual(before)
      expect(await group.store.commit(group.at, commit)).toEqual({ status: 'committed', numbers: [1] })
      const after = await group.everything(['a'])
      expect(await group.store.commit(group.at, commit)).toEqual({ status: 'already' })
      expect(await group.store.commit(group.at, stale)).toEqual({ status: 'fenced' })
      expect(await group.everything(['a'])).toEqual(after)
    })
  })
}
