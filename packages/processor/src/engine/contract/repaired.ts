import type { EventLog } from '@millrace/log'
import { expect, test } from 'vitest'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import type { RepairAction, RepairOutcome } from '../../repair/repair-action.ts'
import { Repairer } from '../../repair/repairer.ts'
import type { SourceOfTruth } from '../../repair/source-of-truth.ts'
import { type EngineUnderTest, type Player, type Scene, sceneOf } from './scene.ts'

const order = { by: 'ada', reason: 'a poor import' } as const

/** Repairs of what a running processor cannot handle: it carries them out in the order of each key. */
export function describeRepaired(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)

  /** Notes the numbers that it sees; 2 is poison. */
  const notes = (stage: Scene, skip = false) =>
    processor('notes', stage.source, {
      state: state<readonly number[]>({ initial: () => [] }),
      ...(skip ? { onExhausted: 'skip-event' } : {}),
      handle: (event, context) => {
        if (event.data.n === 2) throw new Error('poison')
        context.evolve([...context.state, event.data.n])
      },
    })

  async function repair(stage: Scene, action: RepairAction, source?: SourceOfTruth) {
    const { store, log } = stage.subject
    const sources = source ? { [stage.source.name]: { Counted: source } } : {}
    const clock = { now: () => stage.subject.now() }
    const repairer = new Repairer({ store, log, sources, clock })
    const outcomes: RepairOutcome[] = []
    for await (const outcome of repairer.key(stage.at('notes'), 'a', action, { ...order, force: true }))
      outcomes.push(outcome)
    return outcomes.map(({ status, on }) => `${status} ${on}`)
  }

  /** The key `a` is held at its second event, with two more behind it; the key `b` has gone on. */
  async function held(stage: Scene): Promise<Player> {
    const player = await stage.start(notes(stage), { attempts: 1, quickRetries: 0 })
    await stage.appendNumbered(['a', 'a', 'b', 'a', 'a'], 1)
    await stage.reached(player, 5)
    await stage.held('notes', 'a')
    expect(await stage.stateOf('notes', 'b')).toEqual([3])
    expect(await stage.stateOf('notes', 'a')).toEqual([1])
    const { items } = await stage.subject.store.deadItems(stage.at('notes'))
    expect(items).toMatchObject([{ status: 'held', seq: 2, key: 'a', parked: { lined: 2 } }])
    return player
  }

  /** What the key has come to when it is open again. */
  async function end(stage: Scene): Promise<unknown> {
    await stage.unparked('notes')
    expect(await stage.differences('notes')).toEqual([])
    expect((await stage.subject.store.deadItems(stage.at('notes'))).items).toEqual([])
    return stage.stateOf('notes', 'a')
  }

  test('a held event that is edited is handled in its place, and its line goes on behind it', () =>
    scene(async (stage) => {
      await held(stage)
      expect(await repair(stage, { do: 'edit', patch: { n: 20 } })).toEqual([
        'ruled line',
        'ruled line',
        'ruled head',
      ])
      expect(await end(stage)).toEqual([1, 20, 20, 20])
    }))

  test('the data of the head alone can be edited', () =>
    scene(async (stage) => {
      await held(stage)
      expect(await repair(stage, { do: 'edit', data: { n: 20 } })).toEqual(['ruled head'])
      expect(await end(stage)).toEqual([1, 20, 4, 5])
    }))

  test('a key that is ignored counts as done, to the last event in line', () =>
    scene(async (stage) => {
      await held(stage)
      expect(await repair(stage, { do: 'ignore' })).toHaveLength(3)
      expect(await end(stage)).toEqual([1])
      expect((await stage.subject.store.audit(stage.at('notes'))).counters).toMatchObject({
        done: 5,
        dead: 0,
      })
    }))

  test('a correction that does not help holds the key again, and can be followed by another one', () =>
    scene(async (stage) => {
      const { news } = await held(stage)
      const holds = () => news.filter(({ kind }) => kind === 'parked').length
      const before = holds()
      expect(await repair(stage, { do: 'requeue' })).toEqual(['ruled head'])
      await stage.until(() => holds() > before)
      stage.subject.advance(5)
      expect(await repair(stage, { do: 'edit', data: { n: 21 } })).toEqual(['ruled head'])
      expect(await end(stage)).toEqual([1, 21, 4, 5])
      const { items } = await stage.subject.store.repairEntries(stage.at('notes'))
      expect(items.map(({ kind }) => kind)).toEqual(['corrected', 'requeued'])
    }))

  test('the present state of a source takes the place of the head, and of older events behind it', () =>
    scene(async (stage) => {
      await held(stage)
      const versionOf: SourceOfTruth['versionOf'] = ({ data }) => (data as { n: number }).n
      const source: SourceOfTruth = { fetch: async () => ({ data: { n: 40 }, version: 4 }), versionOf }
      expect(await repair(stage, { do: 'refetch' }, source)).toEqual(['ruled head'])
      expect(await end(stage)).toEqual([1, 40, 5])
    }))

  test('a head that is not on the log any more holds its key alone; ignored, its line goes on', () =>
    scene(async (stage) => {
      let gone = false
      const log = hiding(stage.subject.log, (seq) => gone && seq === 2)
      const { news } = await stage.start(notes(stage), { attempts: 1, quickRetries: 0, log })
      await stage.appendNumbered(['a', 'a', 'b', 'a', 'a'], 1)
      await stage.held('notes', 'a')
      gone = true
      const holds = () => news.filter(({ kind }) => kind === 'parked').length
      const before = holds()
      expect(await repair(stage, { do: 'requeue' })).toEqual(['ruled head'])
      await stage.until(() => holds() > before)
      await stage.appendNumbered(['b'], 6)
      await stage.until(() => news.some((one) => one.kind === 'progress' && one.position.seq >= 6))
      // News come before the commit that they tell of.
      const missing = 'is not among those of its key'
      for (let said = ''; !said.includes(missing);) {
        const { items } = await stage.subject.store.deadItems(stage.at('notes'))
        said = items[0]?.parked?.note.message ?? ''
        let looked = said.includes(missing)
        await stage.until(() => looked || !(looked = true))
      }
      stage.subject.advance(5)
      const ignore = { id: 'i', seq: 2, key: 'a', kind: 'ignored', ...order } as const
      expect(await stage.subject.store.rule(stage.at('notes'), ignore)).toMatchObject({ status: 'ruled' })
      expect(await end(stage)).toEqual([1, 4, 5])
      expect(await stage.stateOf('notes', 'b')).toEqual([3, 6])
      expect(news.filter(({ kind }) => kind === 'ended')).toEqual([])
    }))

  test('a dead letter that others have overtaken is handled late, by force', () =>
    scene(async (stage) => {
      const player = await stage.start(notes(stage, true), { attempts: 1, quickRetries: 0 })
      await stage.appendNumbered(['a', 'a', 'b', 'a', 'a'], 1)
      await stage.reached(player, 5)
      expect(await stage.stateOf('notes', 'a')).toEqual([1, 4, 5])
      expect(await repair(stage, { do: 'edit', patch: { n: 20 } })).toEqual(['ruled dead'])
      await stage.until(() => player.faults.commits.some(({ commit }) => commit.late !== undefined))
      await stage.until(() => player.news.at(-1)?.kind === 'progress')
      expect(await end(stage)).toEqual([1, 4, 5, 20])
      const late = () => player.news.find(({ kind }) => kind === 'late')
      await stage.until(() => late() !== undefined)
      expect(late()).toMatchObject({ kind: 'late', partition: 0, key: 'a', seq: 2, afterSeq: 5 })
      expect((await stage.subject.store.audit(stage.at('notes'))).counters).toMatchObject({
        done: 5,
        dead: 0,
        requeued: 0,
      })
    }))

  test('what another process has ruled is noticed long before the next renewal', () =>
    scene(async (stage) => {
      const player = await stage.start(notes(stage), { attempts: 1, quickRetries: 0, leaseMs: 120_000 })
      await stage.appendNumbered(['a', 'a', 'b', 'a'], 1)
      await stage.reached(player, 4)
      await stage.held('notes', 'a')
      expect(await repair(stage, { do: 'edit', data: { n: 20 } })).toEqual(['ruled head'])
      expect(await end(stage)).toEqual([1, 20, 4])
    }))

  test('a ruling that is made while an attempt is under way that succeeds is dropped', () =>
    scene(async (stage) => {
      const { promise: ruled, resolve: goOn } = Promise.withResolvers<void>()
      const { promise: second, resolve: begun } = Promise.withResolvers<void>()
      let attempts = 0
      const slow = processor('notes', stage.source, {
        state: state<readonly number[]>({ initial: () => [] }),
        handle: async (event, context) => {
          if (event.data.n === 2) {
            attempts += 1
            if (attempts === 1) throw new Error('away')
            begun()
            await ruled
          }
          context.evolve([...context.state, event.data.n])
        },
      })
      await stage.start(slow, { attempts: 100, quickRetries: 0, retry: { firstMs: 1, maxMs: 1 } })
      await stage.appendNumbered(['a', 'a', 'a'], 1)
      await second
      expect(await repair(stage, { do: 'edit', data: { n: 22 } })).toEqual(['ruled head'])
      goOn()
      expect(await end(stage)).toEqual([1, 2, 3])
      const { store } = stage.subject
      expect([...(await store.rulings(stage.at('notes'), [1, 2, 3])).keys()]).toEqual([])
      expect((await store.repairEntries(stage.at('notes'))).items).toHaveLength(1)
    }))

  test('a ruling that is made while an attempt is under way is carried out after it', () =>
    scene(async (stage) => {
      const { promise: ruled, resolve: goOn } = Promise.withResolvers<void>()
      const { promise: second, resolve: begun } = Promise.withResolvers<void>()
      let attempts = 0
      const slow = processor('notes', stage.source, {
        state: state<readonly number[]>({ initial: () => [] }),
        handle: async (event, context) => {
          if (event.data.n === 2) {
            attempts += 1
            if (attempts === 2) {
              begun()
              await ruled
            }
            throw new Error('poison')
          }
          context.evolve([...context.state, event.data.n])
        },
      })
      await stage.start(slow, { attempts: 100, quickRetries: 0, retry: { firstMs: 1, maxMs: 1 } })
      await stage.appendNumbered(['a', 'a', 'b', 'a'], 1)
      await second
      expect(await repair(stage, { do: 'edit', data: { n: 22 } })).toEqual(['ruled head'])
      stage.subject.advance(5)
      goOn()
      expect(await end(stage)).toEqual([1, 22, 4])
      expect(attempts).toBe(2)
    }))
}

/** A log on which some events of keys are not found any more. */
function hiding(inner: EventLog, hides: (seq: number) => boolean): EventLog {
  return new Proxy(inner, {
    get: (target, name) => {
      const found: unknown = Reflect.get(target, name)
      if (typeof found !== 'function') return found
      if (name !== 'readKey') return found.bind(target) as unknown
      return async (
        ...[of, key, { afterVersion = 0, limit = 500 } = {}]: Parameters<EventLog['readKey']>
      ) => {
        const { events } = await target.readKey(of, key)
        const left = events.filter(({ position }) => !hides(position.seq))
        return { events: left.slice(afterVersion, afterVersion + limit), version: left.length }
      }
    },
  })
}
