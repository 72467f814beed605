import { randomOf, testSeed } from '@millrace/log/contract'
import { expect, test } from 'vitest'
import { defineEffect } from '../../model/effect.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { type EngineUnderTest, leaseMs, type Player, sceneOf } from './scene.ts'

/** Members that fail, lose answers, are paused, killed and replaced at random. */
export function describeRandomMembers(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)
  const given = testSeed()

  for (const seed of [given, given + 1])
    test(`state is the fold of the log, and each emit is there once (seed ${seed})`, () =>
      scene(async (stage) => {
        const random = randomOf(seed)
        const carriedOut = new Map<string, string>()
        const post = defineEffect('post', {
          schema: stage.source.types.Counted,
          run: (payload, { key, idempotencyKey }) => {
            if (random() < 0.05) throw new Error('the post is away')
            carriedOut.set(idempotencyKey, `${key} ${payload.n}`)
          },
        })
        const folds = processor('folds', stage.source, {
          state: state<readonly number[]>({ initial: () => [] }),
          effects: [post],
          handle: async (event, context) => {
            if (random() < 0.5) await new Promise((resolve) => setTimeout(resolve, random() * 3))
            context.evolve([...context.state, event.data.n])
            context.emit(stage.target, { type: 'Derived', data: event.data })
            if (event.data.n % 3 === 0) context.effect(post, event.data)
            if (random() < 0.05) throw new Error('no luck')
          },
        })
        const keys = Array.from({ length: 12 }, (_, at) => `key-${at}`)
        const log = new Map<string, number[]>()
        let events = 0
        const append = async () => {
          const chosen = Array.from({ length: 20 }, () => keys[Math.floor(random() * keys.length)] ?? '')
          for (const [at, key] of chosen.entries()) log.set(key, [...(log.get(key) ?? []), at + 1])
          await stage.append(...chosen)
          events += chosen.length
        }
        const options = {
          attempts: Number.POSITIVE_INFINITY,
          effectAttempts: Number.POSITIVE_INFINITY,
          commitEvery: 7,
          random,
        }
        let player: Player = await stage.start(folds, options)
        for (let turn = 0; turn < 12; turn++) {
          const { commits } = player.faults
          const before = commits.length
          await append()
          await stage.until(() => commits.length > before)
          const dice = random()
          if (dice < 0.3) player.faults.loseAnswers(2)
          else if (dice < 0.5) {
            player.faults.pause()
            stage.subject.advance(leaseMs + 1)
            const next = await stage.start(folds, options)
            await append()
            await stage.until(() => next.faults.commits.length > 0)
            player.faults.resume()
            // Otherwise it takes part again, and the next one may wait for a lease in vain.
            await player.running.stop()
            player = next
          } else if (dice < 0.7) {
            player.faults.cut()
            stage.subject.advance(leaseMs + 1)
            player = await stage.start(folds, options)
          } else if (dice < 0.8) {
            await player.running.stop()
            player = await stage.start(folds, options)
          }
        }
        await stage.reached(player, events)
        await stage.unparked('folds')
        await until(async () => {
          const { counters } = await stage.subject.store.audit(stage.at('folds'))
          const { effects, outbox } = counters
          return effects.pending === 0 && outbox.forwarded === outbox.written
        })
        await player.running.stop()
        const derived = await stage.history(stage.target)
        for (const [key, numbers] of log) {
          expect(await stage.stateOf('folds', key), `state of ${key}, seed ${seed}`).toEqual(numbers)
          const emitted = derived.filter(({ event }) => event.subject === key).map(({ event }) => event.data)
          expect(emitted, `emits of ${key}, seed ${seed}`).toEqual(numbers.map((n) => ({ n })))
        }
        const { counters } = await stage.subject.store.audit(stage.at('folds'))
        const recorded = [...log.values()].flat().filter((n) => n % 3 === 0).length
        expect(counters.effects).toMatchObject({ recorded, confirmed: recorded })
        expect(carriedOut.size).toBe(recorded)
        expect(await stage.differences('folds')).toEqual([])
      }))
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
}
