import { expect, test } from 'vitest'
import { defineEffect } from '../../model/effect.ts'
import { processor } from '../../model/processor.ts'
import { EffectRepairer } from '../../repair/effect-repairer.ts'
import { effectNoteOf } from '../waiting-effect.ts'
import { type EngineUnderTest, leaseMs, type Player, type Scene, sceneOf } from './scene.ts'

/** How often an effect is tried that never succeeds, whoever has it. */
export function describeEffectAttempts(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)

  /** An effect on which the other end chokes; the attempt of this number hangs until its member lets it go. */
  function choking(stage: Scene, hangs: number) {
    const attempts: number[] = []
    const post = defineEffect('post', {
      schema: stage.source.types.Counted,
      run: async (_, { attempt, signal }) => {
        attempts.push(attempt)
        stage.changed()
        if (attempts.length === hangs)
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
        throw new Error('it chokes')
      },
    })
    const program = processor('posts', stage.source, {
      effects: [post],
      handle: (event, context) => context.effect(post, event.data),
    })
    return { attempts, program, start: () => stage.start(program, { effectAttempts: 4, stopMs: 50 }) }
  }

  const dead = (player: Player) => player.news.filter(({ kind }) => kind === 'effect-dead').length
  const noted = (player: Player) => player.faults.answered.get('confirmEffects') ?? 0

  test('a successor counts on where a member was killed', () =>
    scene(async (stage) => {
      const { attempts, start } = choking(stage, 3)
      const first = await start()
      await stage.append('a')
      await stage.until(() => attempts.length === 3 && noted(first) >= 2)
      first.faults.cut()
      stage.subject.advance(leaseMs * 2)
      const second = await start()
      await stage.until(() => dead(second) === 1 && noted(second) >= 2)
      expect(attempts).toEqual([1, 2, 3, 3, 4])
      const { items } = await stage.subject.store.deadEffects(stage.at('posts'))
      const note = effectNoteOf(items[0]?.effect.note)
      expect({ attempts: note.attempts, tries: note.tries?.length }).toEqual({ attempts: 4, tries: 4 })
      expect(await stage.differences('posts')).toEqual([])
    }))

  test('one that was put back is counted from its first attempt on, and carried out by one alone', () =>
    scene(async (stage) => {
      const { attempts, program, start } = choking(stage, 0)
      const player = await start()
      await stage.append('a')
      await stage.until(() => dead(player) === 1 && noted(player) >= 4)
      const { store } = stage.subject
      const clock = { now: () => stage.subject.now() }
      const repairer = new EffectRepairer({ store, clock, effectsOf: () => program.effects })
      const order = { by: 'ada', reason: 'once more' }
      const outcomes = []
      for await (const one of repairer.selection(stage.at('posts'), {}, { do: 'requeue' }, order))
        outcomes.push(one)
      expect(outcomes).toMatchObject([{ status: 'ruled' }])
      await stage.until(() => dead(player) === 2)
      // Two looks for what was put back find nothing more.
      const looks = () => player.faults.answered.get('requeuedEffects') ?? 0
      const enough = looks() + 2
      await stage.until(() => looks() >= enough)
      expect(attempts).toEqual([1, 2, 3, 4, 1, 2, 3, 4])
      expect(await stage.differences('posts')).toEqual([])
    }))
}
