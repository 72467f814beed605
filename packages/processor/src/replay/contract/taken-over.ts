import { systemClock } from '@millrace/event'
import { randomOf, testSeed } from '@millrace/log/contract'
import { expect, test } from 'vitest'
import { leaseMs, sceneOf } from '../../engine/contract/scene.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { dropStates } from '../../shadow/drop-states.ts'
import { replay } from '../replay.ts'
import { stateAt } from '../state-at.ts'
import type { ReplayUnderTest } from './replay-contract.ts'
import { until } from './replaying.ts'

const key = (n: number) => `key-${n}`
const said = { by: 'ada', reason: 'random' }

/** Keys that were taken over from another system: live, dropped, replayed and in the past they come to the same. */
export function describeTakenOver(subject: () => ReplayUnderTest): void {
  const scene = sceneOf(subject)
  const given = testSeed()

  for (const seed of [given, given + 1, given + 2])
    test(`what was taken over is what folds begin with, whatever fails meanwhile (seed ${seed})`, () =>
      scene(async (stage) => {
        const random = randomOf(seed)
        const { store, log } = subject()
        // Its timers are those of the machine: retries are planned by the same clock.
        const clock = systemClock
        let asked = 0
        let isShaky = true
        const sums = processor('sums', stage.source, {
          state: state<readonly (string | number)[]>({
            initial: () => [],
            firstTouch: {
              load: async (name) => {
                if (random() < 0.3) throw new Error('away')
                asked += 1
                if (random() < 0.2) return undefined
                const asOf = new Date(Date.now() - Math.floor(random() * 8))
                return { state: [`${name} as of ${asked}`], asOf }
              },
            },
          }),
          handle: (event, context) => {
            if (isShaky && random() < 0.1) throw new Error('fails once in a while')
            context.evolve([...context.state, event.data.n])
            context.emit(stage.target, { type: 'Derived', data: event.data })
          },
        })
        const options = { commitEvery: 5, window: 40, attempts: 100, random, clock }
        let player = await stage.start(sums, options)
        let events = 0
        for (let turn = 0; turn < 12; turn++) {
          const chosen = Array.from({ length: 8 }, () => key(Math.floor(random() * 12)))
          await stage.append(...chosen)
          events += chosen.length
          const dice = random()
          if (dice < 0.2) {
            player.faults.cut()
            stage.subject.advance(leaseMs + 1)
            player = await stage.start(sums, options)
          } else if (dice < 0.4) {
            const some = [key(Math.floor(random() * 12)), key(Math.floor(random() * 12))]
            const keys = random() < 0.5 ? { keys: [...new Set(some)] } : {}
            await dropStates(sums, { store, ...keys, history: random() < 0.5, ...said })
          }
          stage.subject.advance(Math.floor(random() * 30))
        }
        await until(async () => (await store.look(stage.at('sums'))).position.seq === events)
        await stage.unparked('sums')
        await player.running.stop()
        stage.subject.advance(leaseMs + 1)
        const names = Array.from({ length: 12 }, (_, n) => key(n))
        const entries = await store.migrations(stage.at('sums'), names)
        const history = await stage.history(stage.source)
        // A question to the past has few attempts; a replay as many as it is given.
        isShaky = false
        for (const name of names) {
          const entry = entries.get(name)
          const own = history.filter(({ event }) => event.subject === name)
          const asOfMs = entry?.asOf && 'ms' in entry.asOf ? entry.asOf.ms : 0
          const begun = entry === undefined || entry.state === '' ? [] : (JSON.parse(entry.state) as string[])
          const folded = (upTo: number) => [
            ...(entry !== undefined && upTo >= entry.seq ? begun : []),
            ...own
              .filter(({ position }) => position.seq <= upTo)
              .filter(
                ({ event }) => entry === undefined || upTo < entry.seq || Date.parse(event.time) > asOfMs,
              )
              .map(({ event }) => (event.data as { n: number }).n),
          ]
          const live = await stage.stateOf('sums', name)
          // One that was dropped, and of which no event has come since, is a mark.
          expect(live ?? folded(events), `seed ${seed}, ${name}`).toEqual(folded(events))
          for (const { position } of own.filter(() => random() < 0.3)) {
            const then = await stateAt(sums, { log, store, key: name, position })
            expect(then.state, `seed ${seed}, ${name} at ${position.seq}`).toEqual(folded(position.seq))
          }
        }
        isShaky = true
        const before = asked
        const report = await replay(sums, { log, store, clock, finish: 'compare', page: 9, attempts: 100 })
        expect(report.differences, `seed ${seed}`).toMatchObject({ different: 0, moved: 0, keys: [] })
        expect(asked).toBe(before)
        expect(await stage.differences('sums')).toEqual([])
      }))
}
