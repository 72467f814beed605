import { randomOf, testSeed } from '@millrace/log/contract'
import { expect, test } from 'vitest'
import { type Player, sceneOf } from '../../engine/contract/scene.ts'
import { defineEffect } from '../../model/effect.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { replay } from '../replay.ts'
import type { ReplayUnderTest } from './replay-contract.ts'
import { until } from './replaying.ts'
import { WriteFaults } from './write-faults.ts'

/** Replays beside a group that works, fails and is repaired, with a log that grows, killed at random. */
export function describeRandomReplays(subject: () => ReplayUnderTest): void {
  const scene = sceneOf(subject)
  const given = testSeed()

  for (const seed of [given, given + 1, given + 2, given + 3])
    test(`the state after the switch is the fold of the log, and a replay sends nothing (seed ${seed})`, () =>
      scene(async (stage) => {
        const random = randomOf(seed)
        const { store, log } = subject()
        const clock = { now: () => stage.subject.now() }
        let replaying = false
        /** Keys of the events that cannot be handled, by their seq. */
        const broken = new Map<number, string>()
        /** Dead letters that were put back. */
        const late = new Set<number>()
        const live = new Map<string, readonly number[]>()
        const post = defineEffect('post', {
          schema: stage.source.types.Counted,
          run: () => {
            if (replaying) throw new Error('an effect was carried out')
          },
        })
        const program = (factor: number) =>
          processor('folds', stage.source, {
            state: state<readonly number[]>({ initial: () => [] }),
            effects: [post],
            onExhausted: seed % 2 === 0 ? 'hold-key' : 'skip-event',
            handle: async (event, context) => {
              const { n } = event.data
              if (random() < 0.2) await new Promise((resolve) => setTimeout(resolve, random() * 3))
              if (broken.has(context.position.seq)) throw new Error('broken')
              context.evolve([...context.state, n * factor])
              context.emit(stage.target, { type: 'Derived', data: event.data })
              if (n % 3 === 0) context.effect(post, event.data)
            },
          })
        const keys = Array.from({ length: 8 }, (_, at) => `key-${at}`)
        const history: (readonly [string, number])[] = []
        const append = async (count: number) => {
          const chosen = Array.from({ length: count }, () => keys[Math.floor(random() * keys.length)] ?? '')
          for (const [at, key] of chosen.entries()) {
            history.push([key, at + 1])
            if (random() < 0.02) broken.set(history.length, key)
          }
          await stage.append(...chosen)
        }
        const player: Player = await stage.start(program(1), { attempts: 1, window: 40, random })
        await append(150)
        // Killed and started again, while the group goes on and parked keys are taken on again.
        for (let turn = 0; turn < 4; turn++) {
          const faults = new WriteFaults(store)
          faults.killAt(1 + Math.floor(random() * 12), random() < 0.5)
          const killed = replay(program(2), { log, store: faults.store, clock, page: 10, near: 20 })
          await Promise.all([append(30), killed.catch(() => undefined)])
          stage.subject.advance(20_000)
          for (const { key, no } of (await store.parked(stage.at('folds'))).items)
            if (random() < 0.3) {
              for (const [seq, of] of broken) if (of === key) broken.delete(seq)
              await store.markDue(stage.at('folds'), key, no, 'operator', stage.subject.now())
            }
          for (const { seq, key } of await store.deadLetters(stage.at('folds')))
            if (random() < 0.5) {
              broken.delete(seq)
              late.add(seq)
              const said = { id: `r${seq}`, by: 'ada', reason: 'mended', force: true }
              await store.rule(stage.at('folds'), { ...said, seq, key, kind: 'requeued' })
            }
        }
        const ending = stage.reached(player, history.length)
        await replay(program(2), { log, store, clock, page: 10, near: 20 })
        await ending
        await until(async () => (await store.requeued(stage.at('folds'))).items.length === 0)
        await player.running.stop()
        stage.subject.advance(20_000)
        await expectFolds(1)
        const tips = await log.tips(stage.target)
        replaying = true
        const report = await replay(program(2), { log, store, clock, finish: 'switch', page: 10 })
        expect(await log.tips(stage.target)).toEqual(tips)
        expect(report.own, `seed ${seed}`).toEqual([])
        await expectFolds(2)
        expect(await stage.differences('folds')).toEqual([])

        /** What the lists leave out is not folded, everything else is. */
        async function expectFolds(factor: number): Promise<void> {
          await until(async () => (await store.look(stage.at('folds'))).position.seq === history.length)
          const dead = new Set(
            (await store.deadLetters(stage.at('folds'), { limit: 1_000 })).map(({ seq }) => seq),
          )
          for (const { key, parked, state: stored } of await store.loadStates(stage.at('folds'), keys)) {
            const head = parked?.head ?? Number.POSITIVE_INFINITY
            const expected = history.flatMap(([of, n], at) =>
              of === key && at + 1 < head && !dead.has(at + 1) ? [n * factor] : [],
            )
            const found = stored && stored.state !== '' ? (JSON.parse(stored.state) as number[]) : []
            const ranLate = history.some(([of], at) => of === key && late.has(at + 1))
            if (factor === 1) live.set(key, found)
            const pair = ranLate ? [inOrder(found), inOrder(expected)] : [found, expected]
            expect(pair[0], `state of ${key}, seed ${seed}`).toEqual(pair[1])
            const asLive = live.get(key)?.map((n) => n * factor)
            expect(found, `state of ${key}, seed ${seed}`).toEqual(asLive)
          }
        }
      }))
}

function inOrder(numbers: readonly number[]): readonly number[] {
  return numbers.toSorted((a, b) => a - b)
}
