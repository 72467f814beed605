import { expect, test } from 'vitest'
import { type Player, type Scene, sceneOf } from '../../engine/contract/scene.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { durableDebounce } from '../../operators/durable-debounce.ts'
import { emit } from '../../operators/emit.ts'
import { evolve } from '../../operators/evolve.ts'
import { replay } from '../replay.ts'
import type { ReplayUnderTest } from './replay-contract.ts'
import { until } from './replaying.ts'

/** What the live generation, its operators and its timers have decided, and what a replay makes of it. */
export function describeReplayedDecisions(subject: () => ReplayUnderTest): void {
  const scene = sceneOf(subject)
  const means = (stage: Scene) => ({
    log: subject().log,
    store: subject().store,
    clock: { now: () => stage.subject.now() },
  })

  test('events are taken as operators have ruled', () =>
    scene(async (stage) => {
      const broken = (factor: number) =>
        processor('folds', stage.source, {
          state: state<readonly number[]>({ initial: () => [] }),
          handle: (event, context) => {
            if (context.position.seq <= 2 && event.data.n < 10) throw new Error('never')
            context.evolve([...context.state, event.data.n * factor])
          },
        })
      await stage.append('wrong', 'useless', 'wrong', 'useless')
      const player = await stage.start(broken(1), { attempts: 1 })
      await stage.reached(player, 4)
      const { store } = subject()
      const at = stage.at('folds')
      await until(async () => (await store.parked(at)).items.length === 2)
      const said = { by: 'ada', reason: 'as the customer says' }
      await store.rule(at, { ...said, id: 'r1', seq: 1, key: 'wrong', kind: 'corrected', data: { n: 10 } })
      await store.rule(at, { ...said, id: 'r2', seq: 2, key: 'useless', kind: 'ignored' })
      await settled(stage, player, 4)
      expect(await stage.stateOf('folds', 'wrong')).toEqual([10, 3])
      await replay(broken(2), { ...means(stage), finish: 'switch' })
      expect(await stage.stateOf('folds', 'wrong')).toEqual([20, 6])
      expect(await stage.stateOf('folds', 'useless')).toEqual([8])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('dead letters that were handled late are folded where they were', () =>
    scene(async (stage) => {
      const whole = new Set<number>()
      const folds = (factor: number) =>
        processor('folds', stage.source, {
          state: state<readonly (number | string)[]>({ initial: () => [] }),
          onExhausted: 'skip-event',
          handle: (event, context) => {
            const { seq } = context.position
            if (seq <= 3 && !whole.has(seq)) throw new Error('broken')
            const n = event.data.n * factor
            context.evolve([...context.state, context.late ? `late ${n}` : n])
          },
        })
      await stage.append('a', 'a', 'a', 'a', 'b')
      const player = await stage.start(folds(1), { attempts: 1 })
      await stage.reached(player, 5)
      const { store } = subject()
      const at = stage.at('folds')
      const means_ = means(stage)
      // Built as far as it goes, before anything runs late.
      await replay(folds(2), means_)
      const late = async (seq: number, rest: object) => {
        whole.add(seq)
        const said = { by: 'ada', reason: 'mended', id: `r${seq}`, key: 'a', force: true }
        expect(await store.rule(at, { kind: 'requeued', ...said, seq, ...rest })).toMatchObject({
          on: 'dead',
        })
        await until(async () => (await store.rulings(at, [seq])).get(seq)?.ran !== undefined)
      }
      await late(2, {})
      await stage.append('a')
      await stage.reached(player, 6)
      await late(1, { kind: 'corrected', data: { n: 10 } })
      const live = [4, 'late 2', 1, 'late 10']
      expect(await stage.stateOf('folds', 'a')).toEqual(live)
      await replay(folds(2), { ...means_, finish: 'switch' })
      const twice = [8, 'late 4', 2, 'late 20']
      expect(await stage.stateOf('folds', 'a')).toEqual(twice)
      expect(await stage.differences('folds')).toEqual([])
      // What dies again is out; what is put back after the switch runs behind it.
      await late(3, {})
      await replay(folds(2), { ...means_, finish: 'switch' })
      expect(await stage.stateOf('folds', 'a')).toEqual([...twice, 'late 6'])
    }))

  test('timers that the live generation never had fire before the switch, and nothing goes out', () =>
    scene(async (stage) => {
      const counting = processor('calm', stage.source, {
        state: state<number>({ initial: () => 0 }),
        pipeline: (lane) => lane.pipe(evolve((count) => count + 1)),
      })
      const calm = processor('calm', stage.source, {
        state: state<number>({ initial: () => 0 }),
        pipeline: (lane) =>
          lane.pipe(
            evolve((count) => count + 1),
            durableDebounce('calm', 40),
            emit(stage.target, ({ state: n }) => ({ type: 'Derived', data: { n } })),
          ),
      })
      await stage.append('a', 'b', 'a')
      const player = await stage.start(counting)
      await stage.reached(player, 3)
      await player.running.stop()
      stage.subject.advance(50)
      const report = await replay(calm, { ...means(stage), finish: 'switch' })
      expect(report.withheld.emits).toBe(2)
      expect(await stage.history(stage.target)).toEqual([])
      const { store } = subject()
      expect(await store.dueTimers(stage.at('calm'), Number.MAX_SAFE_INTEGER)).toMatchObject({ timers: [] })
      const { items } = await store.firings(stage.at('calm'))
      expect(items.map(({ key, afterSeq, no }) => [key, afterSeq, no])).toEqual([
        ['b', 2, expect.any(Number)],
        ['a', 3, expect.any(Number)],
      ])
      // What was journalled so is fired so by the next replay.
      const again = await replay(calm, { ...means(stage), finish: 'compare' })
      expect(again).toMatchObject({ withheld: { emits: 2 }, differences: { same: 2, different: 0 } })
    }))

  test('a group that began later is replayed from where it began', () =>
    scene(async (stage) => {
      const counts = processor('counts', stage.source, {
        state: state<number>({ initial: () => 0 }),
        handle: (_, context) => context.evolve(context.state + 1),
      })
      await stage.append('a', 'a', 'a')
      const player = await stage.start(counts, { from: 'latest' })
      await stage.until(() => player.news.some(({ kind }) => kind === 'leased'))
      await stage.append('a', 'a')
      await stage.reached(player, 5)
      expect(await replay(counts, { ...means(stage), finish: 'switch' })).toMatchObject({ folded: 2 })
      expect(await stage.stateOf('counts', 'a')).toBe(2)
      expect(await stage.differences('counts')).toEqual([])
    }))

  test('a group that works all the time is caught up with, and loses nothing by the switch', () =>
    scene(async (stage) => {
      const folds = (factor: number) =>
        processor('folds', stage.source, {
          state: state<readonly number[]>({ initial: () => [] }),
          handle: async (event, context) => {
            if (event.data.n % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
            context.evolve([...context.state, event.data.n * factor])
          },
        })
      const keys = Array.from({ length: 10 }, (_, at) => `k${at}`)
      // The switch comes while it works: from then on the present program must be the one that goes on.
      const player = await stage.start(folds(2), { window: 50 })
      let events = 0
      let going = true
      const appending = (async () => {
        while (going) {
          await stage.append(...keys)
          events += keys.length
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
      })()
      await until(async () => events >= 300)
      const report = await replay(folds(2), { ...means(stage), finish: 'switch', near: 30 })
      expect(report.switched).toBe(true)
      await until(async () => events >= 600)
      going = false
      await appending
      await stage.reached(player, events)
      for (const [at, key] of keys.entries()) {
        const expected = Array.from({ length: events / keys.length }, () => (at + 1) * 2)
        expect(await stage.stateOf('folds', key)).toEqual(expected)
      }
      expect(player.news.some((one) => one.kind === 'ended' && one.reason === 'lost')).toBe(true)
      expect(await stage.differences('folds')).toEqual([])
    }))
}

/** Nothing of the group is parked any more, up to an event. */
async function settled(stage: Scene, player: Player, seq: number): Promise<void> {
  await stage.reached(player, seq)
  await until(async () => {
    const { counters } = await stage.subject.store.audit(stage.at('folds'))
    return counters.parked + counters.lined === 0
  })
}
