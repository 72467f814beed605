import { expect, test } from 'vitest'
import { defineEffect } from '../../model/effect.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { stateAt } from '../../replay/state-at.ts'
import { dropStates } from '../../shadow/drop-states.ts'
import { Elsewhere, type Sums, sums } from './elsewhere.ts'
import { type EngineUnderTest, type Player, type Scene, sceneOf } from './scene.ts'

const said = { by: 'ada', reason: 'to see what happens' } as const
const anything = {
  '~standard': { version: 1, vendor: 'millrace-contract', validate: (value: unknown) => ({ value }) },
} as const

/** States that are dropped, and effects that are withheld. */
export function describeDropping(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)
  const open = (stage: Scene) => new Elsewhere(() => stage.changed())

  const again = async (stage: Scene, player: Player, seq: number) => {
    await stage.append('a')
    await stage.reached(player, seq)
  }

  test('a state that was dropped is folded anew with the next event, without its emits', () =>
    scene(async (stage) => {
      const other = open(stage)
      const program = sums(stage, other)
      const player = await stage.start(program)
      await stage.append('a', 'b', 'a')
      await stage.reached(player, 3)
      const store = subject().store
      other.knows = (key) => ({ state: [`newer ${key}`], asOf: new Date(0) })
      const options = { store, keys: ['a'], ...said }
      expect(await dropStates(program, { ...options, dryRun: true })).toEqual({ records: 1, migrations: 0 })
      expect(await dropStates(program, options)).toEqual({ records: 1, migrations: 0 })
      expect(await stage.stateOf('sums', 'a')).toBeUndefined()
      await again(stage, player, 4)
      // What it was taken over with is in the journal still.
      expect(await stage.stateOf('sums', 'a')).toEqual(['old a', 1, 3, 1])
      expect(await dropStates(program, { ...options, history: true })).toEqual({ records: 1, migrations: 1 })
      await again(stage, player, 5)
      expect(await stage.stateOf('sums', 'a')).toEqual(['newer a', 1, 3, 1, 1])
      expect(await stage.stateOf('sums', 'b')).toEqual(['old b', 2])
      expect(other.asked).toEqual(['a', 'b', 'a'])
      expect(await stage.history(stage.target)).toHaveLength(5)
      expect(await stage.differences('sums')).toEqual([])
      const { items } = await store.repairEntries(stage.at('sums'))
      expect(items).toMatchObject([{ kind: 'dropped', key: 'a', ...said }, { kind: 'dropped' }])
    }))

  test('all states of a processor that takes nothing over can be dropped as well', () =>
    scene(async (stage) => {
      const plain = processor('plain', stage.source, {
        state: state<Sums>({ initial: () => [] }),
        handle: (event, context) => context.evolve([...context.state, event.data.n]),
      })
      const player = await stage.start(plain, { lanes: 2 })
      const keys = Array.from({ length: 20 }, (_, n) => `k${n}`)
      await stage.append(...keys)
      await stage.reached(player, 20)
      const store = subject().store
      expect(await dropStates(plain, { store, ...said })).toEqual({ records: 20, migrations: 0 })
      await stage.append('k3')
      await stage.reached(player, 21)
      expect(await stage.stateOf('plain', 'k3')).toEqual([4, 1])
      expect(await stage.stateOf('plain', 'k4')).toBeUndefined()
      const { log } = subject()
      expect((await stateAt(plain, { log, store, key: 'k4' })).state).toEqual([5])
      expect(await stage.differences('plain')).toEqual([])
    }))

  test('effects of a shadow are withheld but for keys that are promoted, and back, each carried out once at most', () =>
    scene(async (stage) => {
      const done: string[] = []
      const call = defineEffect('call', {
        schema: anything,
        run: (_, context) => {
          done.push(`${context.key} ${context.idempotencyKey}`)
          stage.changed()
        },
      })
      const calls = processor('calls', stage.source, {
        shadow: {},
        effects: [call],
        handle: (event, context) => context.effect(call, event.data),
      })
      const { store } = subject()
      const at = stage.at('calls')
      const first = await stage.start(calls)
      await stage.append('a', 'b')
      await stage.reached(first, 2)
      await first.running.stop()
      await store.setShadow(at, { keys: [{ key: 'a', promoted: true }], ...said })
      const second = await stage.start(calls)
      await stage.append('a', 'b')
      await stage.until(() => done.length === 1)
      await second.running.stop()
      await store.setShadow(at, { keys: [{ key: 'a', promoted: false }], percent: 100, ...said })
      const third = await stage.start(calls)
      await stage.append('a', 'b')
      await stage.until(() => done.length === 2)
      expect(done.map((one) => one[0])).toEqual(['a', 'b'])
      const { items } = await store.withheldEffects(at)
      expect(items.map(({ key, seq }) => [key, seq])).toEqual([
        ['a', 1],
        ['b', 2],
        ['b', 4],
        ['a', 5],
      ])
      const ids = [items[0]?.idempotencyKey ?? '']
      await third.running.stop()
      await store.settleWithheld(at, { ids, to: 'released', ...said })
      const fourth = await stage.start(calls)
      await stage.until(() => done.length === 3)
      await fourth.running.stop()
      expect(done[2]).toBe(`a ${ids[0]}`)
      expect(new Set(done).size).toBe(3)
      expect((await store.audit(at)).counters.effects).toMatchObject({
        recorded: 6,
        withheld: 3,
        confirmed: 3,
      })
      expect(await stage.differences('calls')).toEqual([])
    }))
}
