import { newEvent } from '@millrace/event'
import { NEVER } from 'rxjs'
import { expect, test } from 'vitest'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { mergeMap } from '../../operators/merge-map.ts'
import { type EngineUnderTest, type Player, sceneOf } from './scene.ts'

/** What becomes of events that cannot be handled, and of their neighbours. */
export function describeFailing(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)
  const seen = () => state<readonly number[]>({ initial: () => [] })

  test('a failed event is tried again, in order, with the state as it was; other keys go on', () =>
    scene(async (stage) => {
      let failures = 3
      const handled: string[] = []
      const folds = processor('folds', stage.source, {
        state: seen(),
        handle: (event, context) => {
          context.evolve([...context.state, event.data.n])
          if (context.key === 'a' && event.data.n === 3 && failures-- > 0) throw new Error('not yet')
          handled.push(`${context.key}${event.data.n}`)
        },
      })
      await stage.append('a', 'b', 'a', 'b', 'a')
      const player = await stage.start(folds)
      await stage.reached(player, 5)
      await stage.unparked('folds')
      expect(handled).toEqual(['a1', 'b2', 'b4', 'a3', 'a5'])
      expect(await stage.stateOf('folds', 'a')).toEqual([1, 3, 5])
      expect(player.news.filter(({ kind }) => kind === 'retry' || kind === 'parked')).toHaveLength(3)
    }))

  test('what other keys have done beyond a failing one is committed, and not done again by a successor', () =>
    scene(async (stage) => {
      const handled: string[] = []
      let mended = false
      const folds = processor('folds', stage.source, {
        handle: (_, context) => {
          if (context.key === 'a' && !mended) throw new Error('not yet')
          handled.push(context.key)
        },
      })
      await stage.append('a', 'b', 'c')
      const first = await stage.start(folds, {
        quickRetries: Number.POSITIVE_INFINITY,
        attempts: Number.POSITIVE_INFINITY,
      })
      await stage.until(() => first.faults.commits.some(({ commit }) => commit.ahead.length === 2))
      await first.running.stop()
      mended = true
      const second = await stage.start(folds)
      await stage.reached(second, 3)
      expect(handled).toEqual(['b', 'c', 'a'])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('attempts that are spent end in a dead letter, and the key goes on', () =>
    scene(async (stage) => {
      const folds = processor('folds', stage.source, {
        state: seen(),
        onExhausted: 'skip-event',
        handle: (event, context) => {
          context.evolve([...context.state, event.data.n])
          if (event.data.n === 2) throw new Error('never')
        },
      })
      await stage.append('a', 'a', 'a')
      const player = await stage.start(folds, { attempts: 3 })
      await stage.reached(player, 3)
      await stage.unparked('folds')
      const letters = await stage.subject.store.deadLetters(stage.at('folds'))
      expect(letters).toMatchObject([{ seq: 2, reason: 'attempts-spent', attempts: 3 }])
      expect(await stage.stateOf('folds', 'a')).toEqual([1, 3])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('a key that is held lines its events up, on this member and the next; others go on', () =>
    scene(async (stage) => {
      const folds = processor('folds', stage.source, {
        state: seen(),
        handle: (event, context) => {
          if (context.key === 'a' && event.data.n === 3) throw new Error('never')
          context.evolve([...context.state, event.data.n])
        },
      })
      await stage.append('a', 'b', 'a', 'a', 'b')
      const first = await stage.start(folds, { attempts: 2 })
      await stage.reached(first, 5)
      await stage.held('folds', 'a')
      const note = { why: 'operator', attempts: 2, reason: 'attempts-spent', message: 'never' }
      const parked = { key: 'a', head: 3, last: 4, lined: 1, note }
      expect((await stage.subject.store.parked(stage.at('folds'))).items).toMatchObject([parked])
      await first.running.stop()
      const second = await stage.start(folds)
      await stage.append('a', 'b')
      await stage.reached(second, 7)
      expect((await stage.subject.store.parked(stage.at('folds'))).items).toMatchObject([
        { ...parked, last: 6, lined: 2 },
      ])
      expect(await stage.stateOf('folds', 'a')).toEqual([1])
      expect(await stage.stateOf('folds', 'b')).toEqual([2, 5, 2])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('poison is given up at once: an unknown type, data that break their schema', () =>
    scene(async (stage) => {
      const handled: number[] = []
      const folds = processor('folds', stage.source, {
        onExhausted: 'skip-event',
        handle: (event) => void handled.push(event.data.n),
      })
      const [event] = [newEvent(stage.source, { type: 'Counted', key: 'a', data: { n: 1 } })]
      await stage.subject.log.append(stage.source, [
        {
          events: [
            { ...event, id: 'strange', type: 'Strange' },
            { ...event, id: 'broken', data: 'text' },
            event,
          ],
        },
      ])
      const player = await stage.start(folds)
      await stage.reached(player, 3)
      const letters = await stage.subject.store.deadLetters(stage.at('folds'))
      expect(letters.map(({ reason }) => reason)).toEqual(['type.unknown', 'event.invalid'])
      expect(handled).toEqual([1])
      expect(player.news.filter(({ kind }) => kind === 'retry')).toEqual([])
    }))

  test('an event that makes the state too large is given up, with what came after it handled again', () =>
    scene(async (stage) => {
      const folds = processor('folds', stage.source, {
        state: state<readonly number[]>({ initial: () => [], maxBytes: 8 }),
        onExhausted: 'skip-event',
        handle: (event, context) => context.evolve([...context.state, ...many(event.data.n)]),
      })
      await stage.append('a', 'a', 'a')
      const player = await stage.start(folds)
      await stage.reached(player, 3)
      const letters = await stage.subject.store.deadLetters(stage.at('folds'))
      expect(letters).toMatchObject([{ seq: 2, reason: 'state.too-large' }])
      expect(await stage.stateOf('folds', 'a')).toEqual([1, 3])
      expect(await stage.differences('folds')).toEqual([])
    }))

  for (const onExhausted of ['skip-event', 'hold-key'] as const)
    test(`what is found too large while a commit is gathered is in none, and leaves that one whole (${onExhausted})`, () =>
      scene(async (stage) => {
        const folds = processor('folds', stage.source, {
          state: state<readonly number[]>({ initial: () => [], maxBytes: 20 }),
          onExhausted,
          handle: (event, context) =>
            context.evolve([...context.state, ...(context.key === 'c' ? many(2) : [event.data.n])]),
        })
        await stage.append('a', 'b', 'c', 'a', 'c', 'b', 'd', 'd')
        const player = await stage.start(folds, { commitEvery: 2 })
        await stage.reached(player, 8)
        expect(player.news.filter(({ kind }) => kind === 'ended' || kind === 'trouble')).toEqual([])
        expect(await stage.stateOf('folds', 'a')).toEqual([1, 4])
        expect(await stage.stateOf('folds', 'd')).toEqual([7, 8])
        expect(await stage.differences('folds')).toEqual([])
      }))

  test('a handler may give its event up', () =>
    scene(async (stage) => {
      const folds = processor('folds', stage.source, { handle: (_, context) => context.dead('no use') })
      await stage.append('a')
      const player = await stage.start(folds)
      await stage.reached(player, 1)
      expect(await stage.subject.store.deadLetters(stage.at('folds'))).toMatchObject([
        { reason: 'event.given-up', message: 'no use' },
      ])
    }))

  test('a deferred event is kept in the list of its key', () =>
    scene(async (stage) => {
      const folds = processor('folds', stage.source, {
        handle: (event, context) => {
          if (event.data.n === 1) context.defer('too early')
        },
      })
      await stage.append('a', 'a')
      const player = await stage.start(folds)
      await stage.reached(player, 2)
      expect(await stage.subject.store.deferred(stage.at('folds'), 'a')).toMatchObject([
        { seq: 1, why: 'too early' },
      ])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('a handler that takes too long is aborted and tried again', () =>
    scene(async (stage) => {
      const signals: AbortSignal[] = []
      const folds = processor('folds', stage.source, {
        handle: async (_, context) => {
          signals.push(context.signal)
          if (signals.length === 1) await new Promise(() => undefined)
        },
      })
      await stage.append('a', 'b')
      const player = await stage.start(folds, { handlerTimeoutMs: 20 })
      await stage.reached(player, 2)
      await stage.unparked('folds')
      expect(signals[0]?.aborted).toBe(true)
      expect(errorsOf(player)).toEqual(['handler.timeout'])
    }))

  test('a pipeline that never lets an event go does not hold the others back for ever', () =>
    scene(async (stage) => {
      const folds = processor('folds', stage.source, {
        pipeline: (lane) => lane.pipe(mergeMap((event) => (event.subject === 'a' ? NEVER : [event]))),
      })
      await stage.append('a', 'b', 'a')
      const player = await stage.start(folds, { holdMs: 20, attempts: 2 })
      await stage.reached(player, 3)
      await stage.held('folds', 'a')
      expect((await stage.subject.store.parked(stage.at('folds'))).items).toMatchObject([
        { key: 'a', head: 1, last: 3, lined: 1, note: { reason: 'attempts-spent', attempts: 2 } },
      ])
    }))
}

function many(n: number): readonly number[] {
  return n === 2 ? [2, 2, 2, 2, 2, 2] : [n]
}

function errorsOf({ news }: Player): readonly unknown[] {
  return news.flatMap((one) =>
    one.kind === 'retry' && one.error instanceof Error && 'code' in one.error ? [one.error.code] : [],
  )
}
