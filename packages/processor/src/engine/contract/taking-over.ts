import { systemClock } from '@millrace/event'
import { expect, test } from 'vitest'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { stateAt } from '../../replay/state-at.ts'
import { readState } from '../../shadow/read-state.ts'
import { Elsewhere, type Sums, sums } from './elsewhere.ts'
import { type EngineUnderTest, leaseMs, type Scene, sceneOf } from './scene.ts'

/** Keys without a state are taken over from another system; what was taken over is what they go on with. */
export function describeTakingOver(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)

  const open = (stage: Scene) => new Elsewhere(() => stage.changed())

  test('a key is asked for once, with its first event, and goes on from there', () =>
    scene(async (stage) => {
      const other = open(stage)
      const player = await stage.start(sums(stage, other))
      await stage.append('a', 'b')
      await stage.reached(player, 2)
      await stage.append('a', 'a', 'a')
      await stage.reached(player, 5)
      expect(await stage.stateOf('sums', 'a')).toEqual(['old a', 1, 1, 2, 3])
      expect(await stage.stateOf('sums', 'b')).toEqual(['old b', 2])
      expect(other.asked).toEqual(['a', 'b'])
      const found = await subject().store.migrations(stage.at('sums'), ['a', 'b'])
      expect(found.get('b')).toMatchObject({ seq: 2, asOf: { ms: 0 }, state: '["old b"]' })
      expect(await stage.differences('sums')).toEqual([])
    }))

  test('one that nobody knows begins as usual, and is not asked for again', () =>
    scene(async (stage) => {
      const other = open(stage)
      other.knows = () => undefined
      for (const turn of [1, 2]) {
        const player = await stage.start(sums(stage, other))
        await stage.append('a')
        await stage.reached(player, turn)
        await player.running.stop()
      }
      expect(await stage.stateOf('sums', 'a')).toEqual([1, 1])
      expect(other.asked).toEqual(['a'])
    }))

  test('events up to its as-of are done without the handler, whenever they come', () =>
    scene(async (stage) => {
      const other = open(stage)
      const asOf = new Date(Date.now() + 3_600_000)
      other.knows = (key) => ({ state: [`old ${key}`], asOf })
      const first = await stage.start(sums(stage, other))
      await stage.append('a', 'a')
      await stage.reached(first, 2)
      await first.running.stop()
      const second = await stage.start(sums(stage, other))
      await stage.append('a')
      await stage.reached(second, 3)
      expect(await stage.stateOf('sums', 'a')).toEqual(['old a'])
      expect(await stage.history(stage.target)).toEqual([])
      expect((await subject().store.audit(stage.at('sums'))).counters).toMatchObject({ done: 3 })
      const positioned = await stage.append('b', 'b')
      const [, last] = positioned
      other.knows = () => ({ state: ['here'], asOf: last ?? new Date(0) })
      await stage.append('b')
      await stage.reached(second, 6)
    }))

  test('while the other system is away its keys wait in order, others go on, and no attempt is counted', () =>
    scene(async (stage) => {
      const other = open(stage)
      const player = await stage.start(sums(stage, other), { attempts: 2, clock: systemClock })
      await stage.append('known')
      await stage.reached(player, 1)
      other.away = true
      const keys = Array.from({ length: 30 }, (_, n) => `k${n}`)
      await stage.append(...keys, ...keys)
      await stage.append('known')
      await stage.reached(player, 62)
      expect(await stage.stateOf('sums', 'known')).toEqual(['old known', 1, 1])
      expect(await stage.stateOf('sums', 'k0')).toBeUndefined()
      const { items } = await subject().store.parked(stage.at('sums'), { limit: 1_000 })
      expect(items).toHaveLength(30)
      expect(
        items.every(({ lined, note }) => lined === 1 && note.why === 'retry' && note.attempts === 0),
      ).toBe(true)
      other.away = false
      other.asked.length = 0
      await stage.unparked('sums')
      for (const [n, key] of keys.entries())
        expect(await stage.stateOf('sums', key)).toEqual([`old ${key}`, n + 1, n + 31])
      expect(other.asked.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
        keys.toSorted((a, b) => (a < b ? -1 : 1)),
      )
      expect(await stage.differences('sums')).toEqual([])
    }))

  test('where nobody answers in time, keys that wait for their turn park with the one that was asked', () =>
    scene(async (stage) => {
      const asked: string[] = []
      let silent = true
      const program = processor('sums', stage.source, {
        state: state<Sums>({
          initial: () => [],
          firstTouch: {
            atOnce: 1,
            timeoutMs: 50,
            load: (key) => {
              asked.push(key)
              const answer = { state: [`old ${key}`], asOf: new Date(0) }
              return silent ? new Promise(() => undefined) : Promise.resolve(answer)
            },
          },
        }),
        handle: (event, context) => context.evolve([...context.state, event.data.n]),
      })
      // They are not asked for again before somebody says so, however long this takes.
      const retry = { firstMs: 600_000, maxMs: 600_000 }
      const options = { clock: systemClock, quickRetries: 0, retry }
      const player = await stage.start(program, options)
      const keys = Array.from({ length: 50 }, (_, n) => `k${n}`)
      await stage.append(...keys)
      await stage.reached(player, 50)
      expect(asked.length).toBeLessThan(25)
      silent = false
      const { store } = subject()
      const at = stage.at('sums')
      for (const { key, no } of (await store.parked(at, { limit: 100 })).items)
        await store.markDue(at, key, no, 'operator', systemClock.now())
      await stage.unparked('sums')
      for (const [n, key] of keys.entries())
        expect(await stage.stateOf('sums', key)).toEqual([`old ${key}`, n + 1])
      expect(await stage.differences('sums')).toEqual([])
    }))

  test('of two members that ask for a key, one takes it over, and the other is fenced', () =>
    scene(async (stage) => {
      const other = open(stage)
      const held = Promise.withResolvers<void>()
      let version = 0
      const slow: Elsewhere['load'] = async (key) => {
        const mine = (version += 1)
        stage.changed()
        if (mine === 1) await held.promise
        other.asked.push(key)
        return { state: [`answer ${mine}`], asOf: new Date(0) }
      }
      const racing = () =>
        processor('sums', stage.source, {
          state: state<Sums>({ initial: () => [], firstTouch: { load: slow } }),
          handle: (event, context) => context.evolve([...context.state, event.data.n]),
        })
      const first = await stage.start(racing())
      await stage.append('a')
      await stage.until(() => version === 1)
      first.faults.pause()
      subject().advance(leaseMs + 1)
      const second = await stage.start(racing())
      await stage.reached(second, 1)
      held.resolve()
      first.faults.resume()
      await stage.until(() => first.news.some(({ kind }) => kind === 'ended' || kind === 'fenced'))
      expect(await stage.stateOf('sums', 'a')).toEqual(['answer 2', 1])
      const found = await subject().store.migrations(stage.at('sums'), ['a'])
      expect(found.get('a')?.state).toBe('["answer 2"]')
      expect(await stage.differences('sums')).toEqual([])
    }))

  test.each(['before', 'after'] as const)(
    'a member that dies %s the commit of it leaves all of it or nothing',
    (when) =>
      scene(async (stage) => {
        const other = open(stage)
        const first = await stage.start(sums(stage, other))
        first.faults.cutAt(when, ({ commit }) => commit?.migrations !== undefined)
        await stage.append('a')
        await stage.until(() => first.faults.isCut)
        const migrated = await subject().store.migrations(stage.at('sums'), ['a'])
        expect(migrated.size).toBe(when === 'after' ? 1 : 0)
        subject().advance(leaseMs + 1)
        const second = await stage.start(sums(stage, other))
        await stage.reached(second, 1)
        expect(await stage.stateOf('sums', 'a')).toEqual(['old a', 1])
        expect(other.asked).toHaveLength(when === 'after' ? 1 : 2)
      }),
  )

  test('an answer that cannot be taken over is for an operator', () =>
    scene(async (stage) => {
      const other = open(stage)
      other.knows = () => ({ state: ['x'.repeat(100_000)], asOf: new Date(0) })
      await stage.start(sums(stage, other))
      await stage.append('a')
      await stage.held('sums', 'a')
      const [stored] = await subject().store.loadStates(stage.at('sums'), ['a'])
      expect(JSON.stringify(stored?.parked?.note)).toContain('touch.refused')
    }))

  test('a past state begins with what was taken over, and a key without events is answered as the other has it', () =>
    scene(async (stage) => {
      const other = open(stage)
      const program = sums(stage, other)
      const player = await stage.start(program)
      const positions = await stage.append('a', 'a')
      await stage.reached(player, 2)
      const { log, store } = subject()
      const at = async (position?: (typeof positions)[number]) =>
        stateAt(program, { log, store, key: 'a', events: 9, ...(position ? { position } : {}) })
      const then = await at(positions[0])
      expect(then).toMatchObject({ state: ['old a', 1], from: 'migration', asOf: { ms: 0 } })
      expect(then.events.map(({ position }) => position.seq)).toEqual([1])
      expect(await at()).toMatchObject({ state: ['old a', 1, 2], from: 'record', events: [{}, {}] })
      const read = (key: string) => readState(program, { log, store, key })
      expect(await read('a')).toEqual({ state: ['old a', 1, 2], from: 'record', migrated: true })
      expect(await read('b')).toEqual({ state: ['old b'], from: 'elsewhere', migrated: false })
      const kept = await readState(program, { log, store, key: 'b', keep: true })
      expect(kept).toEqual({ state: ['old b'], from: 'elsewhere', migrated: true })
      other.knows = (key) => ({ state: [`newer ${key}`], asOf: new Date(0) })
      expect(await read('b')).toEqual({ state: ['old b'], from: 'record', migrated: true })
      await stage.append('b')
      await stage.reached(player, 3)
      expect(await stage.stateOf('sums', 'b')).toEqual(['old b', 1])
      other.knows = () => undefined
      expect(await read('c')).toEqual({ state: [], from: 'nowhere', migrated: false })
    }))
}
