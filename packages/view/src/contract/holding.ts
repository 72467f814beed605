import { describe, expect, test } from 'vitest'
import { rebuildView } from '../rebuild-view.ts'
import { countsOf, type Scene } from './scene.ts'

/** Applying with a partition in hand: any events, each once, and by nobody else. */
export function describeHolding(scene: (partitions?: number) => Promise<Scene>): void {
  const ann = { partition: 0, token: '1-ann' }
  const bob = { partition: 0, token: '2-bob' }
  const taken = { code: 'view.taken' }

  describe('holding a partition', () => {
    test('events need not follow one another; the checkpoint stays until it is told', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append('a', 'b', 'a', 'c')
      const [first, second, third, fourth] = await stage.events()
      if (!first || !second || !third || !fourth) throw new Error('The log is too short')
      expect(await store.take(ann)).toEqual({ id: '0-0', seq: 0 })
      await store.applyHeld(ann, [fourth, first], stage.view)
      expect(await countsOf(store)).toEqual({ a: 1, c: 1 })
      expect((await store.checkpoints()).get(0)?.seq).toBe(0)
      const reached = { id: third.position.id, seq: 3 }
      await store.applyHeld(ann, [second, third], stage.view, reached)
      expect(await countsOf(store)).toEqual({ a: 2, b: 1, c: 1 })
      expect((await store.checkpoints()).get(0)).toEqual(reached)
    })

    test('what its key has seen is left out, whoever brings it, and the checkpoint never goes back', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append('a', 'b', 'a')
      const events = await stage.events()
      await store.take(ann)
      const tip = { id: events[2]?.position.id ?? '', seq: 3 }
      await store.applyHeld(ann, events, stage.view, tip)
      await store.applyHeld(ann, events, stage.view, { id: events[0]?.position.id ?? '', seq: 1 })
      await store.take(bob)
      await store.applyHeld(bob, [...events, ...events], stage.view)
      expect(await countsOf(store)).toEqual({ a: 2, b: 1 })
      expect((await store.checkpoints()).get(0)).toEqual(tip)
    })

    test('an event that came before the checkpoint did is not counted again by who reads from there', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append('a', 'b', 'a')
      const events = await stage.events()
      await store.take(ann)
      await store.applyHeld(ann, [events[0], events[2]].flatMap((one) => one ?? []), stage.view) // oxfmt-ignore
      await store.apply(events, stage.view)
      expect(await countsOf(store)).toEqual({ a: 2, b: 1 })
      expect((await store.checkpoints()).get(0)?.seq).toBe(3)
    })

    test('who has not taken it, or lost it to another, applies nothing', async () => {
      const stage = await scene(2)
      const stores = [await stage.open(), await stage.open()]
      const [first, second] = stores
      if (!first || !second) throw new Error('There are no stores')
      await stage.append('a', 'b', 'c', 'd')
      const events = await stage.events()
      await expect(first.applyHeld(ann, events, stage.view)).rejects.toMatchObject(taken)
      await first.take(ann)
      await second.take(bob)
      await second.take({ ...ann, partition: 1 })
      expect([await first.holds(ann), await first.holds(bob)]).toEqual([false, true])
      await expect(first.applyHeld(ann, events, stage.view)).rejects.toMatchObject(taken)
      expect(await countsOf(first)).toEqual({})
      await second.applyHeld(bob, events, stage.view)
      await first.applyHeld({ ...ann, partition: 1 }, await stage.events(1), stage.view)
      expect(await countsOf(second)).toEqual({ a: 1, b: 1, c: 1, d: 1 })
    })

    test('a fold that fails takes everything back', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append('a', 'b', ['c', 'poison'])
      await store.take(ann)
      const events = await stage.events()
      await expect(store.applyHeld(ann, events, stage.view)).rejects.toMatchObject({ code: 'event.invalid' })
      expect(await countsOf(store)).toEqual({})
    })

    test('a view that was deleted, or swapped for another, is in nobody’s hand', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append('a', 'b')
      const events = await stage.events()
      await store.take(ann)
      await store.applyHeld(ann, events, stage.view, { id: events[1]?.position.id ?? '', seq: 2 })
      await rebuildView({ view: stage.view, store, log: stage.log })
      expect(await store.holds(ann)).toBe(false)
      await expect(store.applyHeld(ann, events, stage.view)).rejects.toMatchObject(taken)
      expect(await store.take(ann)).toEqual({ id: events[1]?.position.id, seq: 2 })
      await stage.subject.destroy()
      expect(await store.holds(ann)).toBe(false)
      await expect(store.applyHeld(ann, events, stage.view)).rejects.toMatchObject(taken)
      expect(await store.take(bob)).toEqual({ id: '0-0', seq: 0 })
    })

    test('a rebuild from a position takes back what was applied behind the checkpoint, too', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append('a', 'b', 'a', 'b')
      const events = await stage.events()
      await store.take(ann)
      await store.applyHeld(ann, [events[0], events[2]].flatMap((one) => one ?? []), stage.view) // oxfmt-ignore
      const from = events[1]?.position
      if (!from) throw new Error('The log is too short')
      await rebuildView({ view: stage.view, store, log: stage.log, from })
      expect(await countsOf(store)).toEqual({ a: 2, b: 2 })
      const [row] = await store.read(async (rows) => (await rows.all()).filter(({ key }) => key === 'a'))
      expect(row?.seqs).toEqual([1, 3])
    })

    test('tells this process what it has applied', async () => {
      const stage = await scene()
      const store = await stage.open()
      const told: unknown[] = []
      store.onMoved(({ partition, checkpoint, applied }) =>
        told.push([partition, checkpoint.seq, [...applied]]),
      )
      await stage.append('a', 'b', 'c')
      const events = await stage.events()
      await store.take(ann)
      await store.applyHeld(ann, events.slice(1), stage.view)
      await store.applyHeld(ann, events.slice(0, 1), stage.view, { id: events[2]?.position.id ?? '', seq: 3 })
      expect(told).toEqual([[0, 0, [[2, 'b'], [3, 'c']]], [0, 3, [[1, 'a']]]]) // oxfmt-ignore
    })
  })
}
