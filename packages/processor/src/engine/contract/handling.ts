import { filter, tap } from 'rxjs'
import { expect, test } from 'vitest'
import { defineEffect } from '../../model/effect.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { evolve } from '../../operators/evolve.ts'
import { emit } from '../../operators/emit.ts'
import { type EngineUnderTest, sceneOf } from './scene.ts'

/** What comes of events when nothing goes wrong. */
export function describeHandling(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)
  const seen = () => state<readonly number[]>({ initial: () => [] })

  test('a handler folds the events of each key in order, and its state is stored', () =>
    scene(async (stage) => {
      const folds = processor('folds', stage.source, {
        state: seen(),
        handle: (event, context) => context.evolve([...context.state, event.data.n]),
      })
      await stage.append('a', 'b', 'a', 'c', 'a')
      const player = await stage.start(folds)
      await stage.reached(player, 5)
      expect(await stage.stateOf('folds', 'a')).toEqual([1, 3, 5])
      expect(await stage.stateOf('folds', 'b')).toEqual([2])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('an asynchronous handler gets one event of a key at a time, in order', () =>
    scene(async (stage) => {
      let atOnce = 0
      let most = 0
      const folds = processor('folds', stage.source, {
        state: seen(),
        handle: async (event, context) => {
          atOnce += 1
          most = Math.max(most, atOnce)
          await new Promise((resolve) => setImmediate(resolve))
          atOnce -= 1
          context.evolve([...context.state, event.data.n])
        },
      })
      await stage.append(...Array.from({ length: 30 }, () => 'a'))
      const player = await stage.start(folds)
      await stage.reached(player, 30)
      expect(most).toBe(1)
      expect(await stage.stateOf('folds', 'a')).toEqual(Array.from({ length: 30 }, (_, n) => n + 1))
    }))

  test('a pipeline folds and emits; events of other types are done', () =>
    scene(async (stage) => {
      const sums = processor('sums', stage.source, {
        types: ['Counted'],
        state: state({ initial: () => 0 }),
        pipeline: (lane) =>
          lane.pipe(
            evolve((sum, event) => sum + event.data.n),
            filter(({ state: sum }) => sum > 2),
            emit(stage.target, ({ state: sum }) => ({ type: 'Derived', data: { n: sum } })),
          ),
      })
      await stage.append('a', 'a')
      await stage.appendOf('Other', 'a')
      await stage.append('a', 'b')
      const player = await stage.start(sums)
      await stage.reached(player, 5)
      await player.running.stop()
      const derived = await stage.history(stage.target)
      expect(derived.map(({ event }) => [event.subject, event.data])).toEqual([
        ['a', { n: 3 }],
        ['a', { n: 4 }],
      ])
      expect(await stage.differences('sums')).toEqual([])
    }))

  test('an effect is carried out after the commit that recorded it, and confirmed', () =>
    scene(async (stage) => {
      const calls: string[] = []
      const post = defineEffect('post', {
        schema: stage.source.types.Counted,
        run: async (payload, context) => {
          const { position } = await stage.subject.store.look(stage.at('posts'))
          calls.push(`${context.key} ${payload.n} ${position.seq >= payload.n}`)
          stage.changed()
        },
      })
      const posts = processor('posts', stage.source, {
        effects: [post],
        handle: (event, context) => context.effect(post, event.data),
      })
      await stage.append('a', 'b', 'a')
      const player = await stage.start(posts)
      await stage.until(() => calls.length === 3)
      await player.running.stop()
      expect(calls.toSorted()).toEqual(['a 1 true', 'a 3 true', 'b 2 true'])
      const audit = await stage.subject.store.audit(stage.at('posts'))
      expect(audit.counters.effects).toMatchObject({ recorded: 3, confirmed: 3, pending: 0 })
    }))

  test('events that come while it runs are handled as well', () =>
    scene(async (stage) => {
      const heard: number[] = []
      const listens = processor('listens', stage.source, {
        pipeline: (lane) => lane.pipe(tap((event) => heard.push(event.data.n))),
      })
      const player = await stage.start(listens)
      for (let turn = 1; turn <= 3; turn++) {
        await stage.append('a')
        await stage.reached(player, turn)
      }
      expect(heard).toEqual([1, 1, 1])
    }))
}
