import { filter, merge, tap } from 'rxjs'
import { expect, test } from 'vitest'
import { sceneOf } from '../../engine/contract/scene.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { durableDelay } from '../../operators/durable-delay.ts'
import { evolve } from '../../operators/evolve.ts'
import { replay } from '../replay.ts'
import type { ReplayUnderTest } from './replay-contract.ts'
import { until } from './replaying.ts'

/** Timers that late runs have set. */
export function describeLateTimers(subject: () => ReplayUnderTest): void {
  const scene = sceneOf(subject)

  test('a timer that a late run has set fires behind it, and before what came later', () =>
    scene(async (stage) => {
      const { store, log } = subject()
      const clock = { now: () => stage.subject.now() }
      let broken = true
      const waits = processor('waits', stage.source, {
        state: state<readonly string[]>({ initial: () => [] }),
        onExhausted: 'skip-event',
        pipeline: (lane) =>
          merge(
            lane.pipe(
              tap(({ data }) => {
                if (data.n === 1 && broken) throw new Error('broken')
              }),
              evolve((seen, { data }) => [...seen, String(data.n)]),
            ),
            lane.pipe(
              filter(({ data }) => data.n === 1),
              durableDelay('w', 40),
              evolve((seen) => [...seen, 'w']),
            ),
          ),
      })
      // The position is behind an event of another key then.
      await stage.append('a', 'a', 'b')
      const player = await stage.start(waits, { attempts: 1 })
      await stage.reached(player, 3)
      const at = stage.at('waits')
      broken = false
      const said = { id: 'r1', kind: 'requeued', by: 'ada', reason: 'mended', force: true } as const
      expect(await store.rule(at, { ...said, seq: 1, key: 'a' })).toMatchObject({ on: 'dead' })
      await until(async () => (await store.rulings(at, [1])).get(1)?.ran !== undefined)
      stage.subject.advance(100)
      await until(async () => (await store.firings(at)).items.length === 1)
      await stage.append('b', 'a')
      await stage.reached(player, 5)
      await player.running.stop()
      const live = ['2', '1', 'w', '2']
      expect(await stage.stateOf('waits', 'a')).toEqual(live)
      await replay(waits, { log, store, clock, finish: 'switch' })
      expect(await stage.stateOf('waits', 'a')).toEqual(live)
      const { timers } = await store.dueTimers(at, Number.MAX_SAFE_INTEGER)
      expect(timers.filter(({ key }) => key === 'a')).toEqual([])
    }))
}
