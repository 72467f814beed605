import { expect, test } from 'vitest'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { defer } from '../../operators/defer.ts'
import { evolve } from '../../operators/evolve.ts'
import { type EngineUnderTest, leaseMs, type Scene, sceneOf } from './scene.ts'

/** Events whose precondition is missing: set aside, offered again, given up in the end. */
export function describeDeferring(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)
  const seen = () => state<readonly number[]>({ initial: () => [] })

  /** Folds what it sees; events wait for what `waits` says. */
  const folds = (stage: Scene, waits: (n: number, seen: readonly number[]) => string | undefined) =>
    processor('folds', stage.source, {
      state: seen(),
      handle: async (event, context) => {
        await Promise.resolve()
        const why = waits(event.data.n, context.state)
        if (why === undefined) context.evolve([...context.state, event.data.n])
        else context.defer(why)
      },
    })

  const for3 = (n: number, before: readonly number[]) =>
    n < 3 && !before.includes(3) ? `${n} waits for 3` : undefined

  test('are offered in order behind the event that they wait for, in its commit', () =>
    scene(async (stage) => {
      const player = await stage.start(folds(stage, for3))
      await stage.append('a', 'a', 'a', 'a')
      await stage.reached(player, 4)
      expect(await stage.stateOf('folds', 'a')).toEqual([3, 1, 2, 4])
      expect(await stage.subject.store.deferred(stage.at('folds'), 'a')).toEqual([])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('are offered again when a later one of them has found what it waits for', () =>
    scene(async (stage) => {
      const waitsForNext = (n: number, before: readonly number[]) =>
        n < 4 && !before.includes(n + 1) ? `${n} waits for ${n + 1}` : undefined
      const player = await stage.start(folds(stage, waitsForNext))
      await stage.append('a', 'a', 'a', 'a')
      await stage.reached(player, 4)
      const whole = JSON.stringify([4, 3, 2, 1])
      while (JSON.stringify(await stage.stateOf('folds', 'a')) !== whole)
        await new Promise((resolve) => setImmediate(resolve))
      expect(await stage.subject.store.deferred(stage.at('folds'), 'a')).toEqual([])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('are offered by the next member as well', () =>
    scene(async (stage) => {
      const first = await stage.start(folds(stage, for3))
      await stage.append('a', 'a', 'b')
      await stage.reached(first, 3)
      expect(await stage.subject.store.deferred(stage.at('folds'), 'a')).toMatchObject([
        { seq: 1, why: '1 waits for 3' },
        { seq: 2, why: '2 waits for 3' },
      ])
      first.faults.cut()
      stage.subject.advance(leaseMs + 1)
      const second = await stage.start(folds(stage, for3))
      await stage.append('b', 'b', 'a', 'a')
      await stage.reached(second, 7)
      expect(await stage.stateOf('folds', 'a')).toEqual([3, 1, 2, 4])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('of a pipeline go the same way', () =>
    scene(async (stage) => {
      let ready = false
      const pipes = processor('folds', stage.source, {
        state: seen(),
        pipeline: (lane) =>
          lane.pipe(
            defer((event) => (event.data.n === 1 && !ready ? 'not ready' : undefined)),
            evolve((before, event) => {
              if (event.data.n === 2) ready = true
              return [...before, event.data.n]
            }),
          ),
      })
      const player = await stage.start(pipes)
      await stage.append('a', 'a', 'a')
      await stage.reached(player, 3)
      expect(await stage.stateOf('folds', 'a')).toEqual([2, 1, 3])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('are offered now and then although nothing comes', () =>
    scene(async (stage) => {
      let ready = false
      const player = await stage.start(
        folds(stage, () => (ready ? undefined : 'not ready')),
        { deferBeatMs: 20 },
      )
      await stage.append('a', 'b')
      await stage.reached(player, 2)
      ready = true
      await stage.until(() => player.faults.commits.filter(({ commit }) => emptied(commit)).length > 0)
      await stage.until(() => player.faults.commits.flatMap(({ commit }) => commit.states ?? []).length === 2)
      expect(await stage.stateOf('folds', 'a')).toEqual([1])
      expect(await stage.stateOf('folds', 'b')).toEqual([2])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('that have waited for too long are dead, and say what they waited for', () =>
    scene(async (stage) => {
      const player = await stage.start(folds(stage, for3), { deferBeatMs: 20, deferMs: 60_000 })
      await stage.append('a')
      await stage.reached(player, 1)
      stage.subject.advance(60_001)
      await stage.until(() => player.news.some(({ kind }) => kind === 'dead'))
      await stage.until(() => player.faults.commits.some(({ commit }) => commit.dead.length > 0))
      expect(await stage.subject.store.deadLetters(stage.at('folds'))).toMatchObject([
        { seq: 1, reason: 'event.unmet', details: { why: '1 waits for 3' } },
      ])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('of a type that does not wait are done, and the news tell it', () =>
    scene(async (stage) => {
      const picky = processor('folds', stage.source, {
        state: seen(),
        onUnmet: { Counted: 'ignore' },
        handle: (event, context) => {
          if (!context.state.includes(3) && event.data.n < 3) context.defer(`${event.data.n} wants 3`)
          else context.evolve([...context.state, event.data.n])
        },
      })
      const player = await stage.start(picky)
      await stage.append('a', 'a', 'a', 'a')
      await stage.appendOf('Other', 'b', 'b')
      await stage.reached(player, 6)
      expect(await stage.stateOf('folds', 'a')).toEqual([3, 4])
      expect(await stage.subject.store.deferred(stage.at('folds'), 'a')).toEqual([])
      expect(await stage.subject.store.deferred(stage.at('folds'), 'b')).toMatchObject([
        { seq: 5 },
        { seq: 6 },
      ])
      expect(await stage.subject.store.deadLetters(stage.at('folds'))).toEqual([])
      expect(player.news.filter(({ kind }) => kind === 'ignored')).toMatchObject([
        { key: 'a', seq: 1, type: 'Counted', why: '1 wants 3' },
        { key: 'a', seq: 2, type: 'Counted', why: '2 wants 3' },
      ])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('of a type that is given up at once are dead, and say what was missing; of a pipeline too', () =>
    scene(async (stage) => {
      const strict = processor('folds', stage.source, {
        state: seen(),
        onUnmet: { Counted: 'dead', Other: 'ignore' },
        pipeline: (lane) =>
          lane.pipe(
            defer((event) => (event.data.n === 1 ? 'never comes' : undefined)),
            evolve((before, event) => [...before, event.data.n]),
          ),
      })
      const player = await stage.start(strict)
      await stage.append('a', 'a')
      await stage.appendOf('Other', 'b', 'b')
      await stage.reached(player, 4)
      expect(await stage.stateOf('folds', 'a')).toEqual([2])
      expect(await stage.stateOf('folds', 'b')).toEqual([2])
      expect(await stage.subject.store.deadLetters(stage.at('folds'))).toMatchObject([
        { seq: 1, reason: 'event.unmet', details: { why: 'never comes' } },
      ])
      expect((await stage.subject.store.parked(stage.at('folds'))).items).toEqual([])
      expect(player.news.filter(({ kind }) => kind === 'ignored')).toMatchObject([{ key: 'b', seq: 3 }])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('set aside before their type was told not to wait are done with the next offer', () =>
    scene(async (stage) => {
      const waits = (onUnmet: 'defer' | 'ignore') =>
        processor('folds', stage.source, {
          onUnmet: { Counted: onUnmet },
          handle: (event, context) => {
            if (event.data.n === 1) context.defer('never comes')
          },
        })
      const first = await stage.start(waits('defer'))
      await stage.append('a')
      await stage.reached(first, 1)
      await first.running.stop()
      const second = await stage.start(waits('ignore'))
      await stage.append('b', 'a')
      await stage.reached(second, 3)
      expect(await stage.subject.store.deferred(stage.at('folds'), 'a')).toEqual([])
      const ignored = second.news.filter((one) => one.kind === 'ignored').map(({ seq }) => seq)
      expect(ignored.toSorted((a, b) => a - b)).toEqual([1, 2])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('that fail hold nobody up, and are dead when their attempts are spent', () =>
    scene(async (stage) => {
      const failing = processor('folds', stage.source, {
        state: seen(),
        handle: (event, context) => {
          if (event.data.n === 1 && context.state.length === 0) context.defer('too early')
          else if (event.data.n === 1) throw new Error('never')
          else context.evolve([...context.state, event.data.n])
        },
      })
      const player = await stage.start(failing, { attempts: 3 })
      await stage.append('a', 'a', 'a')
      await stage.until(() => player.faults.commits.some(({ commit }) => commit.dead.length > 0))
      await stage.reached(player, 3)
      expect(await stage.stateOf('folds', 'a')).toEqual([2, 3])
      expect(await stage.subject.store.deadLetters(stage.at('folds'))).toMatchObject([
        { seq: 1, reason: 'attempts-spent', message: 'never' },
      ])
      expect((await stage.subject.store.parked(stage.at('folds'))).items).toEqual([])
      expect(await stage.differences('folds')).toEqual([])
    }))
}

function emptied({
  defers,
}: {
  readonly defers?: readonly { readonly events: readonly unknown[] }[]
}): boolean {
  return defers?.some(({ events }) => events.length === 0) ?? false
}
