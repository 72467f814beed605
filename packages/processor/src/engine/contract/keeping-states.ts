import { expect, test } from 'vitest'
import type { Processor } from '../../model/processor.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { type EngineUnderTest, leaseMs, type Scene, sceneOf, type Source } from './scene.ts'

/** States: loaded together, cached as long as the lease is held, brought to their present version, bounded. */
export function describeKeepingStates(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)

  test('what is cached under a lease is not used under the next one', () =>
    scene(async (stage) => {
      const first = await stage.start(counting(stage))
      await stage.append('a', 'b')
      await stage.reached(first, 2)
      // Another member goes on with the key, and dies; the first one takes part again.
      first.faults.pause()
      stage.subject.advance(leaseMs + 1)
      const second = await stage.start(counting(stage))
      await stage.append('a', 'a')
      await stage.reached(second, 4)
      second.faults.cut()
      stage.subject.advance(leaseMs + 1)
      first.faults.resume()
      await stage.append('a', 'b')
      await stage.reached(first, 6)
      expect(await stage.stateOf('counts', 'a')).toBe(4)
      expect(await stage.stateOf('counts', 'b')).toBe(2)
    }))

  test('keys of a batch that are not in the cache are loaded by one call, those that are by none', () =>
    scene(async (stage) => {
      const calls: number[] = []
      const { store } = stage.subject
      const counted = new Proxy(store, {
        get: (target, name) => {
          const found: unknown = Reflect.get(target, name)
          if (typeof found !== 'function') return found
          return (...args: readonly unknown[]): unknown => {
            if (name === 'loadStates' && Array.isArray(args[1])) calls.push(args[1].length)
            return Reflect.apply(found, target, args)
          }
        },
      })
      const keys = Array.from({ length: 60 }, (_, at) => `key-${at}`)
      await stage.append(...keys, ...keys)
      const player = await stage.start(counting(stage), { store: counted })
      await stage.reached(player, 120)
      await stage.append(...keys)
      await stage.reached(player, 180)
      expect(calls.reduce((sum, count) => sum + count, 0)).toBe(60)
      expect(calls.length).toBeLessThan(6)
    }))

  test('a state of an earlier version is brought to the present one when it is loaded, and stored so', () =>
    scene(async (stage) => {
      await stage.append('a', 'a')
      const old = await stage.start(counting(stage))
      await stage.reached(old, 2)
      await old.running.stop()
      const now = processor('counts', stage.source, {
        state: state<{ readonly count: number }>({
          initial: () => ({ count: 0 }),
          version: 2,
          migrate: { 1: (count) => ({ count: Number(count) }) },
        }),
        handle: (_, context) => context.evolve({ count: context.state.count + 1 }),
      })
      await stage.append('a')
      const player = await stage.start(now)
      await stage.reached(player, 3)
      const [stored] = await stage.subject.store.loadStates(stage.at('counts'), ['a'])
      expect(stored?.state).toMatchObject({ version: 2, state: '{"count":3}' })
    }))

  test('an event that makes the state too large holds its key with the reason in words; the state stays as it was', () =>
    scene(async (stage) => {
      const grows = processor('grows', stage.source, {
        state: state<string>({ initial: () => '', maxBytes: 40 }),
        handle: (event, context) => context.evolve(context.state + 'x'.repeat(event.data.n * 10)),
      })
      await stage.append('a', 'b', 'a', 'b')
      const player = await stage.start(grows)
      await stage.reached(player, 4)
      const { items } = await stage.subject.store.parked(stage.at('grows'))
      expect(items).toMatchObject([
        { key: 'a', head: 3, note: { why: 'operator', reason: 'state.too-large' } },
        { key: 'b', head: 4 },
      ])
      expect(items[0]?.note.message).toMatch(/^The record of a key of grows has 42 bytes; at most 40/)
      expect(await stage.stateOf('grows', 'a')).toBe('x'.repeat(10))
      expect(await stage.differences('grows')).toEqual([])
    }))
}

function counting(stage: Scene): Processor<Source, number> {
  return processor('counts', stage.source, {
    state: state<number>({ initial: () => 0 }),
    handle: (_, context) => context.evolve(context.state + 1),
  })
}
