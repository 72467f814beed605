import { describe, expect, test } from 'vitest'
import { countsOf, type Scene } from './scene.ts'

/** Applying: data and checkpoint in one step, each event once. */
export function describeApplying(scene: (partitions?: number) => Promise<Scene>): void {
  describe('applying', () => {
    test('moves the checkpoint with the data, partition by partition', async () => {
      const stage = await scene(2)
      const store = await stage.open()
      const none = { id: '0-0', seq: 0 }
      expect(await store.checkpoints()).toEqual(new Map([[0, none], [1, none]])) // oxfmt-ignore
      await stage.append('a', 'b', 'a', 'c')
      const [first, second] = [await stage.events(0), await stage.events(1)]
      await stage.follow(store)
      expect(await countsOf(store)).toEqual({ a: 2, b: 1, c: 1 })
      const stands = await store.checkpoints()
      expect(stands.get(0)?.seq).toBe(first.length)
      expect(stands.get(1)?.seq).toBe(second.length)
    })

    test('leaves out what it has', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append('a', 'b', 'a')
      const events = await stage.events()
      await store.apply(events.slice(0, 2), stage.view)
      const checkpoint = await store.apply(events, stage.view)
      await store.apply(events, stage.view)
      expect(checkpoint).toEqual({ id: events[2]?.position.id, seq: 3 })
      expect(await countsOf(store)).toEqual({ a: 2, b: 1 })
    })

    test('refuses events that do not follow', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append('a', 'b', 'c')
      const events = await stage.events()
      await expect(store.apply(events.slice(1), stage.view)).rejects.toMatchObject({ code: 'view.gap' })
      expect(await countsOf(store)).toEqual({})
    })

    test('a fold that fails takes the whole batch back', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append('a', 'b', ['c', 'poison'])
      await expect(store.apply(await stage.events(), stage.view)).rejects.toMatchObject({
        code: 'event.invalid',
      })
      expect(await countsOf(store)).toEqual({})
      expect((await store.checkpoints()).get(0)?.seq).toBe(0)
    })

    test('of instances that race, each event is in the data exactly once', async () => {
      const stage = await scene()
      const stores = [await stage.open(), await stage.open()]
      await stage.append(...Array.from({ length: 40 }, (_, at) => `k${at % 4}`))
      const events = await stage.events()
      // Overlapping batches, each of them offered by both.
      const batches = Array.from({ length: 8 }, (_, at) => events.slice(0, (at + 1) * 5))
      await Promise.all(stores.flatMap((store) => batches.map((batch) => store.apply(batch, stage.view))))
      expect(await countsOf(stores[0] ?? (await stage.open()))).toEqual({ k0: 10, k1: 10, k2: 10, k3: 10 })
    })

    test('tells this process where it stands now', async () => {
      const stage = await scene()
      const store = await stage.open()
      const moves: number[] = []
      const forget = store.onMoved(({ checkpoint }) => moves.push(checkpoint.seq))
      await stage.append('a', 'b')
      await stage.follow(store)
      forget()
      await stage.append('a')
      await stage.follow(store)
      expect(moves).toEqual([2])
    })

    test('deleted, it is empty at the beginning of the log, and can be filled again', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append('a', 'b')
      await stage.follow(store)
      await stage.subject.destroy()
      await stage.append('a')
      const events = await stage.events()
      await expect(store.apply(events.slice(2), stage.view)).rejects.toMatchObject({ code: 'view.gap' })
      expect((await store.checkpoints()).get(0)?.seq).toBe(0)
      await stage.follow(store)
      expect(await countsOf(store)).toEqual({ a: 2, b: 1 })
    })
  })
}
