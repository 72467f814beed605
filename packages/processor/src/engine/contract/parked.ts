import { MillraceError } from '@millrace/event'
import { createMemoryRetryClock } from '@millrace/retry'
import { tap } from 'rxjs'
import { expect, test } from 'vitest'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { durableDelay } from '../../operators/durable-delay.ts'
import { type EngineUnderTest, type Scene, sceneOf } from './scene.ts'

/** Keys that cannot go on for a while: what waits, what is tried again when, and in which order. */
export function describeParked(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)
  const seen = () => state<readonly number[]>({ initial: () => [] })

  /** Folds what it sees; `fails` says whether an event does, and by what. */
  const folds = (stage: Scene, fails: (key: string, n: number) => Error | undefined, skip = false) =>
    processor('folds', stage.source, {
      state: seen(),
      ...(skip ? { onExhausted: 'skip-event' } : {}),
      handle: async (event, context) => {
        await Promise.resolve()
        context.evolve([...context.state, event.data.n])
        const error = fails(context.key, event.data.n)
        if (error !== undefined) throw error
      },
    })

  test('a key that fails for long holds nobody up: thousands of events of others pass', () =>
    scene(async (stage) => {
      let away = true
      const player = await stage.start(
        folds(stage, (key) => (key === 'a' && away ? new Error('away') : undefined)),
        { window: 100, attempts: Number.POSITIVE_INFINITY },
      )
      const others = Array.from({ length: 500 }, (_, at) => (at % 50 === 0 ? 'a' : `k${at}`))
      for (let turn = 0; turn < 6; turn++) await stage.append(...others)
      await stage.reached(player, 3_000)
      expect(await stage.stateOf('folds', 'a')).toBeUndefined()
      expect(await stage.differences('folds')).toEqual([])
      away = false
      await stage.unparked('folds')
      const expected = Array.from({ length: 10 }, (_, at) => at * 50 + 1)
      expect(await stage.stateOf('folds', 'a')).toEqual(Array.from({ length: 6 }, () => expected).flat())
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('a long line is run page by page, in order, while it grows', () =>
    scene(async (stage) => {
      let away = true
      const retryClock = createMemoryRetryClock({ clock: { now: () => stage.subject.now() } })
      const player = await stage.start(
        folds(stage, () => (away ? new Error('away') : undefined)),
        { window: 300, attempts: Number.POSITIVE_INFINITY, retry: { firstMs: 2, maxMs: 20 }, retryClock },
      )
      const many = Array.from({ length: 1_000 }, () => 'a')
      await stage.append(...many)
      await stage.reached(player, 1_000)
      away = false
      await stage.append(...many)
      await stage.reached(player, 2_000)
      await stage.unparked('folds')
      const numbers = many.map((_, at) => at + 1)
      expect(await stage.stateOf('folds', 'a')).toEqual([...numbers, ...numbers])
      expect(await stage.differences('folds')).toEqual([])
      // Of none of the heads that it had meanwhile a job is left.
      await expect.poll(() => retryClock.jobs).toEqual([])
    }))

  test('attempts are counted and told; what asks to be left alone for a while is', () =>
    scene(async (stage) => {
      const player = await stage.start(
        folds(
          stage,
          () => new MillraceError('log.unavailable', 'busy', { details: { retryAfterMs: 3_600_000 } }),
        ),
        { quickRetries: 0 },
      )
      await stage.append('a')
      await stage.reached(player, 1)
      const [parked] = (await stage.subject.store.parked(stage.at('folds'))).items
      expect(parked?.note).toMatchObject({ why: 'retry', attempts: 1, reason: 'log.unavailable' })
      expect(parked?.note.dueMs).toBeGreaterThanOrEqual(stage.subject.now() + 3_590_000)
      expect(parked?.note.tries).toMatchObject([{ error: 'log.unavailable: busy' }])
      expect(player.news.find(({ kind }) => kind === 'parked')).toMatchObject({ key: 'a', seq: 1 })
    }))

  test('what cannot be retried holds its key at once, or is skipped', () =>
    scene(async (stage) => {
      const fails = (_: string, n: number) => (n === 2 ? new Error('never') : undefined)
      await stage.append('a', 'a', 'a')
      const held = await stage.start(folds(stage, fails), { retryable: () => false })
      await stage.reached(held, 3)
      await stage.held('folds', 'a')
      expect((await stage.subject.store.parked(stage.at('folds'))).items).toMatchObject([
        { head: 2, lined: 1, note: { attempts: 1, message: 'never' } },
      ])
      expect(await stage.stateOf('folds', 'a')).toEqual([1])
    }))

  test('an event that nobody can read holds its key, with the reason', () =>
    scene(async (stage) => {
      await stage.appendOf('Counted', 'a')
      await stage.appendStrange('a')
      await stage.append('a', 'b')
      const player = await stage.start(folds(stage, () => undefined))
      await stage.reached(player, 4)
      await stage.held('folds', 'a')
      expect((await stage.subject.store.parked(stage.at('folds'))).items).toMatchObject([
        { head: 2, lined: 1, note: { why: 'operator', reason: 'type.unknown' } },
      ])
      expect(await stage.stateOf('folds', 'b')).toEqual([2])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('an operator rules: ignored, corrected, tried anew', () =>
    scene(async (stage) => {
      const { store } = stage.subject
      const at = stage.at('folds')
      const rule = async (seq: number, kind: 'ignored' | 'corrected' | 'requeued', data?: unknown) => {
        const by = { by: 'ann', reason: 'a test' }
        const request = { id: `${seq}-${kind}`, seq, key: 'a', kind, ...by, ...(data ? { data } : {}) }
        expect(await store.rule(at, request)).toMatchObject({ status: 'ruled' })
      }
      let mended = false
      const player = await stage.start(
        folds(stage, (_, n) => (n === 1 || n === 2 || (n === 4 && !mended) ? new Error('no') : undefined)),
        { attempts: 1 },
      )
      await stage.append('a', 'a', 'a', 'a', 'a')
      await stage.reached(player, 5)
      await stage.held('folds', 'a')
      await rule(2, 'corrected', { n: 20 })
      await rule(1, 'ignored')
      await stage.heldAt('folds', 'a', 4)
      expect(await stage.stateOf('folds', 'a')).toEqual([20, 3])
      mended = true
      await rule(4, 'requeued')
      await stage.unparked('folds')
      expect(await stage.stateOf('folds', 'a')).toEqual([20, 3, 4, 5])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('a dead letter that is put back is handled late, once; it may die again', () =>
    scene(async (stage) => {
      const { store } = stage.subject
      const at = stage.at('folds')
      const again = (id: string) =>
        store.rule(at, { id, seq: 2, key: 'a', kind: 'requeued', by: 'ann', reason: 'a test', force: true })
      let mended = false
      const player = await stage.start(
        folds(stage, (_, n) => (n === 2 && !mended ? new Error('no') : undefined), true),
        { attempts: 1 },
      )
      await stage.append('a', 'a', 'a')
      await stage.reached(player, 3)
      const letters = () => player.news.filter(({ kind }) => kind === 'dead').length
      expect(await again('first')).toMatchObject({ status: 'ruled' })
      await stage.until(() => letters() === 2)
      mended = true
      await stage.until(() => player.faults.commits.some(({ commit }) => commit.late !== undefined))
      expect(await again('second')).toMatchObject({ status: 'ruled' })
      const settled = () => player.faults.commits.filter(({ commit }) => commit.late !== undefined).length
      await stage.until(() => settled() === 2)
      expect(await stage.stateOf('folds', 'a')).toEqual([1, 3, 2])
      expect(await stage.deadSeqs('folds')).toEqual([])
      expect(await stage.differences('folds')).toEqual([])
    }))

  /** A dead letter of the key `a`, of number 2: its late runs fail while `fails` says so, and `again` puts it back. */
  const latecomer = async (stage: Scene, attempts: number, fails: () => boolean) => {
    const { store } = stage.subject
    let kind: 'permanent' | 'retry' = 'permanent'
    const program = folds(stage, (_, n) => (n === 2 && fails() ? new Error('away') : undefined), true)
    const bounds = { attempts, quickRetries: 0, retry: { firstMs: 20, maxMs: 40 }, kindOf: () => kind }
    const player = await stage.start(program, bounds)
    await stage.append('a', 'a', 'a')
    await stage.reached(player, 3)
    expect(await stage.deadSeqs('folds')).toEqual([2])
    kind = 'retry'
    const letter = { seq: 2, key: 'a', kind: 'requeued', by: 'ann', reason: 'a test', force: true } as const
    await store.rule(stage.at('folds'), { id: 'again', ...letter })
    const runs = () => player.faults.commits.filter(({ commit }) => commit.late !== undefined).length
    return { player, settled: () => stage.until(() => runs() === 1) }
  }

  test('a late run that fails is made again after a pause, and attempts are counted', () =>
    scene(async (stage) => {
      let failures = 0
      const { settled } = await latecomer(stage, 3, () => (failures += 1) > 0)
      await settled()
      expect(failures).toBe(4)
      const [letter] = await stage.subject.store.deadLetters(stage.at('folds'))
      expect(letter).toMatchObject({ seq: 2, attempts: 3 })
      expect(letter?.tries).toHaveLength(3)
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('while a late run fails its key goes on', () =>
    scene(async (stage) => {
      let broken = true
      const { player, settled } = await latecomer(stage, Number.POSITIVE_INFINITY, () => broken)
      await stage.append('a')
      await stage.reached(player, 4)
      broken = false
      await settled()
      expect(await stage.deadSeqs('folds')).toEqual([])
      expect(await stage.stateOf('folds', 'a')).toEqual([1, 3, 1, 2])
      expect(await stage.differences('folds')).toEqual([])
    }))

  test('too many dead letters stop the member until somebody has looked', () =>
    scene(async (stage) => {
      let broken = true
      const player = await stage.start(
        folds(stage, () => (broken ? new Error('no') : undefined), true),
        { attempts: 1, deadLimit: { count: 3, withinMs: 60_000 }, atOnce: 1, window: 4 },
      )
      await stage.append('a', 'b', 'c', 'd')
      await stage.reached(player, 4)
      await stage.append('e', 'f')
      await stage.until(() => player.running.health().paused)
      // Time for what it must not do.
      await new Promise((resolve) => setTimeout(resolve, 30))
      const { state: health, paused, message } = player.running.health()
      expect({ health, paused }).toEqual({ health: 'down', paused: true })
      expect(message).toMatch('more than 3 events were given up')
      expect(await stage.deadSeqs('folds')).toEqual([1, 2, 3, 4])
      broken = false
      player.running.resume()
      await stage.reached(player, 6)
      expect(await stage.deadSeqs('folds')).toEqual([1, 2, 3, 4])
      expect(player.running.health().state).toBe('ok')
    }))

  test('a clock that has lost everything is told again', () =>
    scene(async (stage) => {
      let away = true
      const clock = createMemoryRetryClock({ clock: { now: () => stage.subject.now() } })
      const player = await stage.start(
        folds(stage, () => (away ? new Error('away') : undefined)),
        {
          quickRetries: 0,
          retryClock: clock,
          retrySweepMs: 20,
          attempts: 100,
          retry: { firstMs: 40, maxMs: 40 },
        },
      )
      await stage.append('a')
      await stage.reached(player, 1)
      clock.lose()
      away = false
      await stage.unparked('folds')
      expect(await stage.stateOf('folds', 'a')).toEqual([1])
    }))

  test('a timer that cannot be fired parks what comes behind it, and is fired before it', () =>
    scene(async (stage) => {
      let away = true
      const fired: number[] = []
      const delays = processor('delays', stage.source, {
        pipeline: (lane) =>
          lane.pipe(
            durableDelay('later', 1_000),
            tap((event) => {
              if (away) throw new Error('away')
              fired.push(event.data.n)
              stage.changed()
            }),
          ),
      })
      await stage.append('a')
      stage.subject.advance(2_000)
      const player = await stage.start(delays, { attempts: Number.POSITIVE_INFINITY })
      await stage.until(() => player.news.filter(({ kind }) => kind === 'retry').length > 2)
      await stage.append('a', 'b')
      await stage.reached(player, 3)
      const [parked] = (await stage.subject.store.parked(stage.at('delays'))).items
      expect(parked).toMatchObject({ key: 'a', head: 2, note: { timer: { name: 'later' } } })
      away = false
      await stage.unparked('delays')
      expect(fired).toEqual([1])
      stage.subject.advance(2_000)
      await stage.append('a')
      await stage.until(() => fired.length > 1)
      expect(await stage.differences('delays')).toEqual([])
    }))
}
