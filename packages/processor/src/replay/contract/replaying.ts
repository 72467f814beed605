import { expect, test } from 'vitest'
import { type Scene, sceneOf, type Source } from '../../engine/contract/scene.ts'
import { defineEffect } from '../../model/effect.ts'
import { type Processor, processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { durableDebounce } from '../../operators/durable-debounce.ts'
import { emit } from '../../operators/emit.ts'
import { evolve } from '../../operators/evolve.ts'
import { dropReplay, replay } from '../replay.ts'
import type { ReplayUnderTest } from './replay-contract.ts'

/** Replays of a group that works on. */
export function describeReplaying(subject: () => ReplayUnderTest): void {
  const scene = sceneOf(subject)
  const means = (stage: Scene) => ({
    log: subject().log,
    store: subject().store,
    clock: { now: () => stage.subject.now() },
  })

  test('the fold of the log by the present program comes into the place of the live one; nothing goes out', () =>
    scene(async (stage) => {
      const carriedOut: string[] = []
      const post = defineEffect('post', {
        schema: stage.source.types.Counted,
        run: (_, { key }) => void carriedOut.push(key),
      })
      const folds = (version: 1 | 2) =>
        processor('folds', stage.source, {
          state: state<readonly number[]>({
            initial: () => [],
            version,
            migrate: { 1: (old) => old },
          }),
          effects: [post],
          handle: (event, context) => {
            context.evolve([...context.state, event.data.n * version])
            context.emit(stage.target, { type: 'Derived', data: event.data })
            if (event.data.n === 1) context.effect(post, event.data)
          },
        })
      await stage.append('a', 'b', 'a', 'c', 'a')
      const first = await stage.start(folds(1))
      await stage.reached(first, 5)
      await stage.until(() => carriedOut.length === 1)
      await idle(stage, 'folds')
      const before = await tipsOf(stage)
      const kept = await replay(folds(2), means(stage))
      expect(kept).toMatchObject({ generation: 1, folded: 5, withheld: { effects: 1, emits: 5 } })
      expect(kept.emits).toEqual({ same: 5, different: 0, missing: 0 })
      expect(await stage.stateOf('folds', 'a')).toEqual([1, 3, 5])
      await first.running.stop()
      const second = await stage.start(folds(2))
      const report = await replay(folds(2), { ...means(stage), finish: 'switch' })
      expect(report).toMatchObject({ folded: 0, resumed: 5, switched: true, own: [] })
      expect([carriedOut.length, await tipsOf(stage)]).toEqual([1, before])
      expect(await stage.stateOf('folds', 'a')).toEqual([2, 6, 10])
      expect((await subject().store.look(stage.at('folds'))).generation).toBe(1)
      // Whoever had the partition has dropped what it knew.
      await stage.append('a')
      await stage.reached(second, 6)
      expect(await stage.stateOf('folds', 'a')).toEqual([2, 6, 10, 2])
      expect(await stage.differences('folds')).toEqual([])
      expect((await replay(folds(2), { ...means(stage), finish: 'switch' })).generation).toBe(2)
    }))

  test('what is held, set aside or given up is left out, and comes in when the group has settled it', () =>
    scene(async (stage) => {
      let mended = false
      const folds = processor('folds', stage.source, {
        state: state<readonly number[]>({ initial: () => [] }),
        handle: (event, context) => {
          const { n } = event.data
          if (n === 2 && !mended) throw new Error('not yet')
          if (context.key === 'late' && n === 5) context.defer('somebody else')
          else if (context.key === 'lost') context.dead('nobody wants it')
          else context.evolve([...context.state, n])
        },
      })
      await stage.append('held', 'held', 'held', 'ok', 'late', 'lost', 'ok')
      const player = await stage.start(folds, { attempts: 1 })
      await stage.reached(player, 7)
      const built = { ...stage.at('folds'), generation: 1 }
      const { own } = await replay(folds, means(stage))
      expect(own).toEqual([])
      expect(await statesOf(subject().store, built, ['held', 'ok', 'late', 'lost'])).toEqual([
        [1],
        [4, 7],
        undefined,
        undefined,
      ])
      mended = true
      const [head] = (await subject().store.parked(stage.at('folds'))).items
      await subject().store.markDue(stage.at('folds'), 'held', head?.no ?? 0, 'operator', stage.subject.now())
      await until(async () => (await subject().store.parked(stage.at('folds'))).items.length === 0)
      await stage.append('held')
      await stage.reached(player, 8)
      expect(await stage.stateOf('folds', 'held')).toEqual([1, 2, 3, 1])
      await replay(folds, { ...means(stage), finish: 'switch' })
      expect(await stage.stateOf('folds', 'held')).toEqual([1, 2, 3, 1])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('a program that does not handle what the live one has handled replaces it by force alone', () =>
    scene(async (stage) => {
      const live = counting(stage, () => undefined)
      await stage.append('a', 'b', 'a')
      const player = await stage.start(live)
      await stage.reached(player, 3)
      const picky = counting(stage, (n) => (n === 3 ? 'three is never right' : undefined))
      const refused = replay(picky, { ...means(stage), finish: 'switch' })
      await expect(refused).rejects.toMatchObject({ code: 'replay.refused' })
      expect(await stage.stateOf('counts', 'a')).toBe(2)
      const { own } = await replay(picky, { ...means(stage), finish: 'switch', force: true })
      expect(own).toMatchObject([{ key: 'a', seq: 3, why: 'given up by the program that replays' }])
      expect(await stage.stateOf('counts', 'a')).toBe(1)
    }))

  test('an event that the program cannot handle ends the replay with its place; mended, it goes on', () =>
    scene(async (stage) => {
      let mended = false
      const live = counting(stage, () => undefined)
      await stage.append('a', 'b', 'a')
      const player = await stage.start(live)
      await stage.reached(player, 3)
      const broken = processor('counts', stage.source, {
        state: state<number>({ initial: () => 0 }),
        handle: (event, context) => {
          if (event.data.n === 3 && !mended) throw new Error('no such field')
          context.evolve(context.state + 1)
        },
      })
      const failing = replay(broken, { ...means(stage), page: 1 })
      await expect(failing).rejects.toThrow(/Key a, .*-3: no such field/)
      mended = true
      expect(await replay(broken, means(stage))).toMatchObject({ resumed: 2, folded: 1 })
    }))

  test('compared key by key: which differ, and where; dropped, nothing of it is left', () =>
    scene(async (stage) => {
      const live = counting(stage, () => undefined)
      await stage.append('a', 'b', 'a')
      const player = await stage.start(live)
      await stage.reached(player, 3)
      const doubled = processor('counts', stage.source, {
        state: state<number>({ initial: () => 0 }),
        handle: (event, context) => context.evolve(context.state + (event.data.n === 2 ? 5 : 1)),
      })
      const { differences } = await replay(doubled, { ...means(stage), finish: 'compare' })
      expect(differences).toEqual({
        ...{ same: 1, different: 1, moved: 0 },
        keys: [{ partition: 0, key: 'b', places: [{ path: 'state', before: 1, after: 5 }] }],
      })
      await dropReplay(doubled, subject().store)
      expect((await subject().store.statesPage({ ...stage.at('counts'), generation: 1 })).items).toEqual([])
      expect(await stage.stateOf('counts', 'b')).toBe(1)
    }))

  test('timers fire where the live generation has fired them, and those that it still waits for are set', () =>
    scene(async (stage) => {
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
      const player = await stage.start(calm)
      await stage.reached(player, 3)
      stage.subject.advance(50)
      await until(async () => (await subject().store.firings(stage.at('calm'))).items.length === 2)
      await idle(stage, 'calm')
      await stage.append('a')
      await stage.reached(player, 4)
      const before = await tipsOf(stage)
      const report = await replay(calm, { ...means(stage), finish: 'switch' })
      expect(report.emits).toEqual({ same: 2, different: 0, missing: 0 })
      expect(await tipsOf(stage)).toEqual(before)
      const { timers, nextMs } = await subject().store.dueTimers(stage.at('calm'), 0)
      expect([timers.length, nextMs]).toEqual([0, expect.any(Number)])
      stage.subject.advance(50)
      await until(async () => (await subject().store.firings(stage.at('calm'))).items.length === 3)
      await idle(stage, 'calm')
      const derived = (await stage.history(stage.target)).map(({ event }) => event.data as { n: number })
      expect(derived.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual([1, 2, 3])
    }))
}

function counting(stage: Scene, dead: (n: number) => string | undefined): Processor<Source, number> {
  return processor('counts', stage.source, {
    state: state<number>({ initial: () => 0 }),
    handle: (event, context) => {
      const why = dead(event.data.n)
      if (why === undefined) context.evolve(context.state + 1)
      else context.dead(why)
    },
  })
}

async function tipsOf(stage: Scene): Promise<readonly number[]> {
  const { log } = stage.subject
  const all = [...(await log.tips(stage.source)), ...(await log.tips(stage.target))]
  return all.map(({ seq }) => seq)
}

/** Everything is forwarded and carried out. */
async function idle(stage: Scene, group: string): Promise<void> {
  await until(async () => {
    const { counters, structures } = await stage.subject.store.audit(stage.at(group))
    return counters.effects.pending === 0 && structures.outbox === 0
  })
}

export async function statesOf(
  store: ReplayUnderTest['store'],
  at: Parameters<ReplayUnderTest['store']['loadStates']>[0],
  keys: readonly string[],
): Promise<readonly unknown[]> {
  const stored = await store.loadStates(at, keys)
  return stored.map(({ state: one }) =>
    one && one.state !== '' ? (JSON.parse(one.state) as unknown) : undefined,
  )
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
}
