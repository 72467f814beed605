import { EMPTY, Subject, take } from 'rxjs'
import { expect, test } from 'vitest'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { mergeMap } from '../../operators/merge-map.ts'
import { type EngineUnderTest, sceneOf } from './scene.ts'

/** What a running processor keeps in hand at most. */
export function describeBounds(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)

  test('lanes of idle keys are given up, and come back with their state', () =>
    scene(async (stage) => {
      const counts = processor('counts', stage.source, {
        state: state({ initial: () => 0 }),
        handle: (_, context) => context.evolve(context.state + 1),
      })
      const player = await stage.start(counts, { lanes: 20, window: 40 })
      const keys = Array.from({ length: 100 }, (_, at) => `key-${at}`)
      for (let turn = 1; turn <= 3; turn++) {
        await stage.append(...keys)
        await stage.reached(player, turn * keys.length)
      }
      const { lanes } = player.running.health().partitions[0] ?? {}
      expect(lanes).toBeLessThanOrEqual(60)
      for (const key of ['key-0', 'key-57', 'key-99']) expect(await stage.stateOf('counts', key)).toBe(3)
      expect(await stage.differences('counts')).toEqual([])
    }))

  test('no more is read than the window holds, however long the backlog', () =>
    scene(async (stage) => {
      const go = Promise.withResolvers<void>()
      let started = 0
      const slow = processor('slow', stage.source, {
        handle: async () => {
          started += 1
          stage.changed()
          await go.promise
        },
      })
      await stage.append(...Array.from({ length: 300 }, (_, at) => `key-${at}`))
      const player = await stage.start(slow, { window: 40, atOnce: 8 })
      await stage.until(() => started === 8)
      await new Promise((resolve) => setTimeout(resolve, 30))
      expect(started).toBe(8)
      expect(player.running.health().partitions[0]?.inHand).toBeLessThanOrEqual(40)
      go.resolve()
      await stage.reached(player, 300)
    }))

  test('a key that another one lets go on, in the midst of its own event, goes on', () =>
    scene(async (stage) => {
      const gate = new Subject<void>()
      const kept: number[] = []
      const mixed = processor('mixed', stage.source, {
        pipeline: (lane) =>
          lane.pipe(
            mergeMap(({ subject, data }) => {
              if (subject === 'opener') gate.next()
              else kept.push(data.n)
              return subject === 'kept' && data.n === 1 ? gate.pipe(take(1)) : EMPTY
            }),
          ),
      })
      await stage.appendNumbered(['kept', 'kept', 'opener'], 1)
      const player = await stage.start(mixed, { laneWindow: 1 })
      await stage.reached(player, 3)
      expect(kept).toEqual([1, 2])
    }))

  test('a key whose handler has just ended goes on behind keys that waited for a place', () =>
    scene(async (stage) => {
      const go = Promise.withResolvers<void>()
      const handled: string[] = []
      const mixed = processor('mixed', stage.source, {
        handle: (event) => {
          handled.push(event.subject)
          stage.changed()
          return event.subject === 'slow' && handled.length === 2 ? go.promise : undefined
        },
      })
      await stage.append('quick', 'slow')
      const player = await stage.start(mixed, { atOnce: 1 })
      await stage.until(() => handled.length === 2)
      await stage.append('quick', 'slow')
      await stage.until(() => player.running.health().partitions[0]?.inHand === 3)
      go.resolve()
      await stage.reached(player, 4)
      expect(handled).toEqual(['quick', 'slow', 'quick', 'slow'])
    }))
}
