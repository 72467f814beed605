import { describe, expect, test } from 'vitest'
import { type RebuildProgress, rebuildView } from '../rebuild-view.ts'
import { countingView } from './counting-view.ts'
import { countsOf, type Scene } from './scene.ts'

/** Rebuilding: beside the live generation, then in its place. */
export function describeRebuilding(scene: (partitions?: number) => Promise<Scene>): void {
  /** The same view, on the same topic, without its bug. */
  const mended = (stage: Scene) => ({ ...countingView(1, { mended: true }), topic: stage.view.topic })

  describe('rebuilding', () => {
    test('mends what a bug has done, while the live data are read and written', async () => {
      const stage = await scene(2)
      const store = await stage.open()
      await stage.append('a', ['b', 'wrong'], 'a')
      await stage.follow(store)
      expect(await countsOf(store)).toEqual({ a: 2, b: 10 })
      const seen: unknown[] = []
      let late = true
      const view = mended(stage)
      const result = await rebuildView({
        view: {
          ...view,
          fold: async (rows, recorded) => {
            if (late) {
              late = false
              seen.push(await countsOf(store))
              await stage.append('c', ['b', 'wrong'])
              await stage.follow(store)
            }
            await view.fold(rows, recorded)
          },
        },
        store,
        log: stage.log,
      })
      expect(seen).toEqual([{ a: 2, b: 10 }])
      expect(await countsOf(store)).toEqual({ a: 2, b: 2, c: 1 })
      expect(result).toMatchObject({ applied: 5, resumed: false, skipped: [] })
      // The live side goes on where the new generation stands.
      await stage.append('a')
      await store.apply((await stage.events(0)).slice(-1), view)
      await store.apply((await stage.events(1)).slice(-1), view)
      expect((await countsOf(store))['a']).toBe(3)
    })

    test('reports its progress up to the tip', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append(...Array.from({ length: 1_200 }, (_, at) => `k${at % 10}`))
      const told: RebuildProgress[] = []
      await rebuildView({ view: stage.view, store, log: stage.log, onProgress: (one) => told.push(one) })
      expect(told.map(({ stage: name, applied, total }) => [name, applied, total])).toEqual([
        ['reading', 0, 1_200],
        ['reading', 500, 1_200],
        ['reading', 1_000, 1_200],
        ['reading', 1_200, 1_200],
        ['swapped', 1_200, 1_200],
      ])
    })

    test('interrupted, it goes on where it was', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append(...Array.from({ length: 1_000 }, (_, at) => `k${at % 10}`))
      await stage.follow(store)
      const interrupt = new AbortController()
      const first = rebuildView({
        view: stage.view,
        store,
        log: stage.log,
        signal: interrupt.signal,
        onProgress: ({ applied }) => {
          if (applied === 500) interrupt.abort()
        },
      })
      await expect(first).rejects.toThrow()
      const starts: number[] = []
      const second = await rebuildView({
        view: stage.view,
        store: await stage.open(),
        log: stage.log,
        onProgress: ({ applied }) => starts.push(applied),
      })
      expect(second).toMatchObject({ resumed: true, applied: 1_000 })
      expect(starts[0]).toBe(500)
      expect((await countsOf(store))['k3']).toBe(100)
    })

    test('one with another start begins afresh', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append(...Array.from({ length: 600 }, (_, at) => `k${at}`))
      await stage.follow(store)
      const interrupt = new AbortController()
      const options = { view: stage.view, store, log: stage.log }
      const first = rebuildView({
        ...options,
        signal: interrupt.signal,
        onProgress: ({ applied }) => {
          if (applied > 0) interrupt.abort()
        },
      })
      await expect(first).rejects.toThrow()
      const from = (await stage.events())[9]?.position
      if (!from) throw new Error('There is no tenth event')
      expect(await rebuildView({ ...options, from })).toMatchObject({ resumed: false, applied: 600 })
    })

    test('from a position, it takes back what came after and folds that anew', async () => {
      const stage = await scene(2)
      const store = await stage.open()
      await stage.append('a', 'b', 'c', 'd', 'e', 'f')
      await stage.follow(store)
      const right = (await stage.events(0)).at(-1)?.position
      if (!right) throw new Error('The partition is empty')
      const inZero = (await stage.events(0)).map(({ event }) => event.subject)
      const inOne = (await stage.events(1)).map(({ event }) => event.subject)
      const [mine = '', other = ''] = [inZero[0], inOne[0]]
      await stage.append([mine, 'wrong'], [other, 'wrong'])
      await stage.follow(store)
      expect(await countsOf(store)).toMatchObject({ [mine]: 11, [other]: 11 })
      const folded: string[] = []
      const view = mended(stage)
      await rebuildView({
        view: {
          ...view,
          fold: async (rows, recorded) => {
            folded.push(recorded.event.subject)
            await view.fold(rows, recorded)
          },
        },
        store,
        log: stage.log,
        from: right,
      })
      // The other partition is taken as it is.
      expect(await countsOf(store)).toMatchObject({ [mine]: 2, [other]: 11 })
      expect(folded).toEqual([mine])
      expect((await store.checkpoints()).get(0)?.seq).toBe((await stage.events(0)).length)
    })

    test('there is one at a time', async () => {
      const stage = await scene()
      const store = await stage.open()
      const other = await stage.open()
      const building = await store.build('whole', 'empty')
      await expect(other.build('whole', 'empty')).rejects.toMatchObject({ code: 'view.rebuilding' })
      await building.close()
      const next = await other.build('whole', 'empty')
      expect(next.resumed).toBe(true)
      await next.close()
    })

    test('events that the view cannot take are left out and reported, wherever they lie', async () => {
      const stage = await scene()
      const store = await stage.open()
      await stage.append(
        ...Array.from({ length: 400 }, (_, at): readonly [string, string] => ['k', at === 7 ? 'poison' : '']),
        ['k', 'poison'],
      )
      const { skipped, applied } = await rebuildView({ view: stage.view, store, log: stage.log })
      expect(skipped.map(({ position }) => position.seq)).toEqual([8, 401])
      expect(applied).toBe(401)
      expect(await countsOf(store)).toEqual({ k: 399 })
    })

    test('instances that apply during the swap lose and double nothing', async () => {
      const stage = await scene()
      const store = await stage.open()
      const writer = await stage.open()
      await stage.append(...Array.from({ length: 50 }, (_, at) => `k${at % 5}`))
      await stage.follow(store)
      let done = false
      const writing = (async () => {
        for (let round = 0; !done; round++) {
          await stage.append(`k${round % 5}`)
          await writer.apply((await stage.events()).slice(-20), stage.view)
        }
      })()
      for (let round = 0; round < 5; round++) await rebuildView({ view: stage.view, store, log: stage.log })
      done = true
      await writing
      await stage.follow(store)
      const counts = Object.values(await countsOf(store))
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe((await stage.events()).length)
    })
  })
}
