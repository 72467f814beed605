import { merge } from 'rxjs'
import { randomOf, testSeed } from '@millrace/log/contract'
import { expect, test } from 'vitest'
import { leaseMs, sceneOf } from '../../engine/contract/scene.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { concatMap } from '../../operators/concat-map.ts'
import { dead } from '../../operators/dead.ts'
import { delay } from '../../operators/delay.ts'
import { durableDebounce } from '../../operators/durable-debounce.ts'
import { durableDelay } from '../../operators/durable-delay.ts'
import { emit } from '../../operators/emit.ts'
import { evolve } from '../../operators/evolve.ts'
import { tumblingWindow } from '../../operators/tumbling-window.ts'
import { replay } from '../replay.ts'
import type { ReplayUnderTest } from './replay-contract.ts'
import { until } from './replaying.ts'

/** The same program comes to the same: states, memories of operators, timers. */
export function describeSameAgain(subject: () => ReplayUnderTest): void {
  const scene = sceneOf(subject)
  const given = testSeed()

  for (const seed of [given, given + 1, given + 2, given + 3])
    test(`the same program comes to the same states and memories, whatever members and timers did (seed ${seed})`, () =>
      scene(async (stage) => {
        const random = randomOf(seed)
        const { store, log } = subject()
        const clock = { now: () => stage.subject.now() }
        const pipeline = processor('calm', stage.source, {
          state: state<readonly number[]>({ initial: () => [] }),
          onExhausted: seed % 2 === 0 ? 'hold-key' : 'skip-event',
          pipeline: (lane) => {
            const folded = lane.pipe(
              dead(({ data }) => (data.n === 13 ? 'thirteen' : undefined)),
              evolve((seen, { data }) => [...seen, data.n]),
            )
            return merge(
              folded.pipe(
                durableDebounce('calm', 30),
                emit(stage.target, ({ event }) => ({ type: 'Derived', data: event.data })),
              ),
              folded.pipe(durableDelay('later', 45)),
              folded.pipe(tumblingWindow('window', 70)),
              folded.pipe(
                delay(1),
                concatMap(async ({ event }) => event),
              ),
            )
          },
        })
        const keys = Array.from({ length: 5 }, (_, at) => `key-${at}`)
        let events = 0
        const options = { commitEvery: 5, window: 30, random }
        let player = await stage.start(pipeline, options)
        for (let turn = 0; turn < 14; turn++) {
          const chosen = Array.from({ length: 14 }, () => keys[Math.floor(random() * keys.length)] ?? '')
          await stage.append(...chosen)
          events += chosen.length
          const dice = random()
          if (dice < 0.2) {
            player.faults.cut()
            stage.subject.advance(leaseMs + 1)
            player = await stage.start(pipeline, options)
          } else if (dice < 0.4) await stage.reached(player, events)
          stage.subject.advance(Math.floor(random() * 60))
        }
        await until(async () => (await store.look(stage.at('calm'))).position.seq === events)
        stage.subject.advance(10)
        await player.running.stop()
        stage.subject.advance(leaseMs + 1)
        const report = await replay(pipeline, { log, store, clock, finish: 'compare', page: 9 })
        expect(report.differences, `seed ${seed}`).toMatchObject({ different: 0, moved: 0, keys: [] })
        expect(report.own).toEqual([])
        const at = stage.at('calm')
        const far = Number.MAX_SAFE_INTEGER
        // Those of parked keys line up behind them, and may be in no list of the live generation.
        const parked = new Set((await store.parked(at)).items.map(({ key }) => key))
        const [live, built] = await Promise.all([
          store.dueTimers(at, far),
          store.dueTimers({ ...at, generation: report.generation }, far),
        ])
        const open = ({ timers }: typeof live) => timers.filter(({ key }) => !parked.has(key))
        expect(open(built)).toEqual(open(live))
      }))
}
