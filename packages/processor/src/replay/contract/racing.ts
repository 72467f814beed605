import { systemTimers } from '@millrace/event'
import { expect, test } from 'vitest'
import { type Scene, sceneOf } from '../../engine/contract/scene.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import type { GenerationStore } from '../generations.ts'
import { replay } from '../replay.ts'
import type { ReplayUnderTest } from './replay-contract.ts'
import { until } from './replaying.ts'

/** What comes between two calls of a replay. */
export function describeReplayRaces(subject: () => ReplayUnderTest): void {
  const scene = sceneOf(subject)
  const program = (stage: Scene, factor: number) =>
    processor('folds', stage.source, {
      state: state<readonly number[]>({ initial: () => [] }),
      onExhausted: 'skip-event',
      handle: ({ data }, context) => {
        if (factor === 1 && context.position.seq === 1) throw new Error('never')
        context.evolve([...context.state, data.n * factor])
      },
    })
  const means = (stage: Scene) => ({
    log: subject().log,
    store: subject().store,
    clock: { now: () => stage.subject.now() },
    finish: 'switch' as const,
  })

  test('a replay that has waited for another one until it had switched builds nothing more', () =>
    scene(async (stage) => {
      const { store } = subject()
      const at = stage.at('folds')
      const built = { ...at, generation: 1 }
      await stage.append('b', 'a', 'a')
      const player = await stage.start(program(stage, 1), { attempts: 1 })
      await stage.reached(player, 3)
      await player.running.stop()
      const other = await store.acquire(built, 'other', 60_000)
      let waits = 0
      const timers = {
        set: (afterMs: number, act: () => void) => {
          waits += 1
          if (waits > 1) return systemTimers.set(afterMs, act)
          const first = async () => {
            await store.release(built, other?.token ?? '')
            await replay(program(stage, 2), means(stage))
          }
          first().then(act, act)
          return () => undefined
        },
      }
      const { folded } = await replay(program(stage, 3), { ...means(stage), timers })
      expect(waits).toBe(1)
      expect(folded).toBe(0)
      expect(await store.look(at)).toMatchObject({ generation: 1, untilMs: 0 })
      expect(await stage.stateOf('folds', 'a')).toEqual([4, 6])
      expect(await store.look(built)).toMatchObject({ n: 0, member: undefined })
    }))

  test('a letter that was put back and dies again while the lists are read is not taken for handled', () =>
    scene(async (stage) => {
      const { store } = subject()
      const at = stage.at('folds')
      await stage.append('a', 'a', 'b')
      const player = await stage.start(program(stage, 1), { attempts: 1 })
      await stage.reached(player, 3)
      await player.running.stop()
      const said = { id: 'r1', kind: 'requeued', by: 'ada', reason: 'once more', force: true } as const
      expect(await store.rule(at, { ...said, seq: 1, key: 'a' })).toMatchObject({ on: 'dead' })
      let moved = false
      const dieAgain = async () => {
        moved = true
        const again = await stage.start(program(stage, 1), { attempts: 1 })
        await until(async () => (await store.requeued(at)).items.length === 0)
        await again.running.stop()
      }
      const between: Partial<GenerationStore> = {
        requeued: async (where, options) => {
          if (!moved) await dieAgain()
          return store.requeued(where, options)
        },
      }
      const racing = new Proxy(store, {
        get: (target, name) => {
          const own: unknown = Reflect.get(between, name)
          const member: unknown = own ?? Reflect.get(target, name)
          return typeof member === 'function' && !own ? (member.bind(target) as unknown) : member
        },
      })
      await replay(program(stage, 2), { ...means(stage), store: racing })
      expect(moved).toBe(true)
      expect(await stage.stateOf('folds', 'a')).toEqual([4])
      expect((await store.deadLetters(at)).map(({ seq }) => seq)).toEqual([1])
    }))
}
