import { describe, expect, test } from 'vitest'
import type { Firing } from '../key-timer.ts'
import type { GroupStoreUnderTest } from './group-fixture.ts'
import { LeasedGroup } from './group-fixture.ts'

const timer = (key: string, name: string, dueMs: number) => ({ key, name, dueMs })
const firing = (key: string, name: string, dueMs: number, afterSeq: number): Firing => ({
  ...timer(key, name, dueMs),
  afterSeq,
})

/** Timers of keys: set, moved, cancelled, fired, journalled. */
export function describeTiming(subject: () => GroupStoreUnderTest): void {
  describe('timers', () => {
    test('are due at their time, earliest first, and say when the next one is', async () => {
      const group = await LeasedGroup.open(subject(), 'a')
      const { store, at } = group
      expect(await store.dueTimers(at, 9_000)).toEqual({ timers: [], nextMs: undefined })
      const [late, early, middle] = [
        timer('a', 'w', 3_000),
        timer('b "Zoë"', 'w', 1_000),
        timer('a', 'v', 2_000),
      ]
      await group.commit(1, { timers: [late, early, middle] })
      expect(await store.dueTimers(at, 999)).toEqual({ timers: [], nextMs: 1_000 })
      expect(await store.dueTimers(at, 2_000)).toEqual({ timers: [early, middle], nextMs: 3_000 })
      expect(await store.dueTimers(at, 9_000, 1)).toEqual({ timers: [early], nextMs: 2_000 })
      expect(await store.dueTimers(at, 9_000)).toEqual({ timers: [early, middle, late], nextMs: undefined })
    })

    test('can be moved and cancelled; one that is not set can be cancelled, too', async () => {
      const group = await LeasedGroup.open(subject(), 'a')
      await group.commit(1, { timers: [timer('a', 'v', 1_000), timer('a', 'w', 2_000)] })
      await group.commit(1, { timers: [timer('a', 'v', 5_000), { key: 'a', name: 'w', dueMs: undefined }] })
      await group.commit(1, { timers: [{ key: 'x', name: 'w', dueMs: undefined }] })
      expect(await group.store.dueTimers(group.at, 9_000)).toMatchObject({ timers: [timer('a', 'v', 5_000)] })
    })

    test('fire once, are journalled by the event that they came after, and can be set again', async () => {
      const group = await LeasedGroup.open(subject(), 'a', 'b', 'a')
      const { store, at } = group
      await group.commit(3, {
        timers: [timer('a', 'w', 1_000), timer('b', 'w', 2_000), timer('c', 'w', 2_500)],
      })
      await group.commit(3, { firings: [firing('a', 'w', 1_000, 3)], timers: [timer('a', 'w', 3_000)] })
      await group.commit(3, { firings: [firing('b', 'w', 2_000, 2), firing('a', 'w', 3_000, 3)] })
      expect(await store.dueTimers(at, 9_000)).toMatchObject({ timers: [{ key: 'c' }] })
      const journal = [
        { ...firing('b', 'w', 2_000, 2), no: 2 },
        { ...firing('a', 'w', 1_000, 3), no: 1 },
        { ...firing('a', 'w', 3_000, 3), no: 3 },
      ]
      expect(await store.firings(at)).toEqual({ items: journal, next: undefined })
      expect(await store.firings(at, { fromSeq: 3 })).toMatchObject({ items: journal.slice(1) })
      const { next, items } = await store.firings(at, { limit: 2 })
      expect(items).toEqual(journal.slice(0, 2))
      expect(await store.firings(at, { after: next ?? '' })).toMatchObject({ items: journal.slice(2) })
    })

    test('a firing that is not stored as it says is refused with all that it brought about', async () => {
      const group = await LeasedGroup.open(subject(), 'a')
      await group.commit(1, { timers: [timer('a', 'w', 1_000)] })
      const before = await group.everything()
      for (const wrong of [
        firing('a', 'w', 1_001, 1),
        firing('a', 'v', 1_000, 1),
        firing('b', 'w', 1_000, 1),
      ])
        await expect(group.commit(1, { firings: [wrong] })).rejects.toMatchObject({
          code: 'commit.refused',
          details: { fault: 'timer' },
        })
      expect(await group.everything()).toEqual(before)
    })
  })
}
