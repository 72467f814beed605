import { expect, test } from 'vitest'
import { defineEffect } from '../../model/effect.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { emit } from '../../operators/emit.ts'
import { tumblingWindow } from '../../operators/tumbling-window.ts'
import { type EngineUnderTest, leaseMs, type Scene, sceneOf } from './scene.ts'

/** What is left, and what comes next, when answers, leases or members are lost. */
export function describeLosing(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)

  const doubles = (stage: Scene) =>
    processor('doubles', stage.source, {
      state: state({ initial: () => 0 }),
      handle: (event, context) => {
        context.evolve(context.state + 1)
        context.emit(stage.target, { type: 'Derived', data: { n: event.data.n } })
      },
    })

  test('commits whose answers are lost are repeated, and each emitted event is there once', () =>
    scene(async (stage) => {
      const player = await stage.start(doubles(stage), { commitEvery: 2 })
      player.faults.loseAnswers(3)
      for (let turn = 0; turn < 4; turn++) await stage.append('a', 'b', 'c')
      await stage.reached(player, 12)
      await player.running.stop()
      expect(player.faults.commits.some(({ status }) => status === 'already')).toBe(true)
      expect(await stage.history(stage.target)).toHaveLength(12)
      expect(await stage.stateOf('doubles', 'a')).toBe(4)
      expect(await stage.differences('doubles')).toEqual([])
    }))

  test('a member that finds everything settled says so with its lease, and commits nothing', () =>
    scene(async (stage) => {
      const first = await stage.start(doubles(stage))
      await stage.append('a', 'b')
      await stage.reached(first, 2)
      await first.running.stop()
      const second = await stage.start(doubles(stage))
      await stage.reached(second, 2)
      await second.running.stop()
      expect(second.faults.commits).toEqual([])
      expect(await stage.stateOf('doubles', 'a')).toBe(1)
      expect(await stage.history(stage.target)).toHaveLength(2)
      expect(await stage.differences('doubles')).toEqual([])
    }))

  test('a member paused past its lease is fenced; its successor does everything once', () =>
    scene(async (stage) => {
      const first = await stage.start(doubles(stage))
      await stage.append('a')
      await stage.reached(first, 1)
      first.faults.pause()
      await stage.append('a', 'b')
      stage.subject.advance(leaseMs + 1)
      const second = await stage.start(doubles(stage))
      await stage.reached(second, 3)
      first.faults.resume()
      await stage.until(() => first.news.some((one) => one.kind === 'ended' && one.reason === 'lost'))
      await second.running.stop()
      expect(await stage.stateOf('doubles', 'a')).toBe(2)
      expect(await stage.history(stage.target)).toHaveLength(3)
      expect(await stage.differences('doubles')).toEqual([])
    }))

  test('the commit of a member that has lost its lease is refused', () =>
    scene(async (stage) => {
      const started = Promise.withResolvers<void>()
      const go = Promise.withResolvers<void>()
      let calls = 0
      const slow = processor('slow', stage.source, {
        state: state({ initial: () => 0 }),
        handle: async (_, context) => {
          calls += 1
          if (calls === 1) {
            started.resolve()
            await go.promise
          }
          context.evolve(context.state + 1)
        },
      })
      await stage.append('a')
      // Its time stands still, so that no renewal comes and it is the commit that finds out.
      const first = await stage.start(slow, { elapsedMs: () => 0 })
      await started.promise
      stage.subject.advance(leaseMs + 1)
      const second = await stage.start(slow)
      await stage.reached(second, 1)
      go.resolve()
      await stage.until(() => first.faults.commits.some(({ status }) => status === 'fenced'))
      expect(await stage.stateOf('slow', 'a')).toBe(1)
    }))

  test('what a dead member has emitted and not forwarded, the next one forwards', () =>
    scene(async (stage) => {
      const first = await stage.start(doubles(stage), {
        log: {
          read: stage.subject.log.read.bind(stage.subject.log),
          readKey: stage.subject.log.readKey.bind(stage.subject.log),
          channel: stage.subject.log.channel.bind(stage.subject.log),
          // The question whether it takes channels at all is answered; then nothing.
          appendChannel: (to, batch) =>
            batch.events.length === 0
              ? stage.subject.log.appendChannel(to, batch)
              : new Promise(() => undefined),
        },
      })
      await stage.append('a', 'b')
      await stage.reached(first, 2)
      first.faults.cut()
      expect(await stage.history(stage.target)).toHaveLength(stage.subject.atOnce ? 2 : 0)
      stage.subject.advance(leaseMs + 1)
      const second = await stage.start(doubles(stage))
      await stage.append('c')
      await stage.reached(second, 3)
      await second.running.stop()
      expect(await stage.history(stage.target)).toHaveLength(3)
      expect(await stage.differences('doubles')).toEqual([])
    }))

  test('an effect whose confirmation is lost with its member is repeated under the same key', () =>
    scene(async (stage) => {
      const calls: { key: string; n: number; idempotencyKey: string; attempt: number }[] = []
      let failing = 2
      const post = defineEffect('post', {
        schema: stage.source.types.Counted,
        run: (payload, { key, idempotencyKey, attempt }) => {
          calls.push({ key, n: payload.n, idempotencyKey, attempt })
          if (payload.n === 2 && failing-- > 0) throw new Error('not yet')
          if (calls.length === 4) first.faults.cut()
          stage.changed()
        },
      })
      const posts = processor('posts', stage.source, {
        effects: [post],
        handle: (event, context) => context.effect(post, event.data),
      })
      await stage.append('a', 'a')
      const first = await stage.start(posts)
      await stage.until(() => calls.length === 4)
      stage.subject.advance(leaseMs + 1)
      const second = await stage.start(posts)
      await stage.until(() => calls.length === 5)
      await second.running.stop()
      expect(calls.map(({ n }) => n)).toEqual([1, 2, 2, 2, 2])
      expect(new Set(calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2)
      const audit = await stage.subject.store.audit(stage.at('posts'))
      expect(audit.counters.effects).toMatchObject({ recorded: 2, confirmed: 2, pending: 0 })
    }))

  test('a window that was open when its member died closes on the next one', () =>
    scene(async (stage) => {
      const windows = processor('windows', stage.source, {
        pipeline: (lane) =>
          lane.pipe(
            tumblingWindow('window', 1_000),
            emit(stage.target, ({ values }) => ({
              type: 'Derived',
              data: { n: values.reduce((sum, event) => sum + event.data.n, 0) },
            })),
          ),
      })
      const first = await stage.start(windows)
      await stage.append('a', 'a')
      await stage.reached(first, 2)
      first.faults.cut()
      stage.subject.advance(leaseMs + 1)
      const second = await stage.start(windows)
      await stage.until(() => second.faults.commits.some(({ commit }) => commit.firings !== undefined))
      await second.running.stop()
      const derived = await stage.history(stage.target)
      expect(derived.map(({ event }) => event.data)).toEqual([{ n: 3 }])
      const { items } = await stage.subject.store.firings(stage.at('windows'))
      expect(items).toMatchObject([{ key: 'a', name: 'window', afterSeq: 2 }])
      expect((await stage.subject.store.audit(stage.at('windows'))).differences).toEqual([])
    }))
}
