import { partitionOfKey } from '@millrace/event'
import { expect, test } from 'vitest'
import { type Scene, sceneOf } from '../../engine/contract/scene.ts'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { replay } from '../replay.ts'
import type { ReplayUnderTest } from './replay-contract.ts'
import { statesOf } from './replaying.ts'
import { WriteFaults } from './write-faults.ts'

/** A replay that is killed at each of its writes. */
export function describeReplayKills(subject: () => ReplayUnderTest): void {
  const scene = sceneOf(subject)
  const keys = ['a', 'b', 'c', 'd']
  const program = (stage: Scene, factor: number) =>
    processor('folds', stage.source, {
      state: state<readonly number[]>({ initial: () => [] }),
      handle: (event, context) => {
        if (context.key === 'd') throw new Error('never')
        context.evolve([...context.state, event.data.n * factor])
      },
    })
  const history = ['a', 'b', 'a', 'c', 'd', 'b', 'a', 'd', 'c', 'a']

  test('killed at any write, either the old or the new generation is whole in each partition, and a replay ends it', () =>
    scene(async (stage) => {
      const { store, log } = subject()
      const clock = { now: () => stage.subject.now() }
      let factor = 1
      await stage.append(...history)
      const first = await stage.start(program(stage, 1), { attempts: 1 })
      for (let partition = 0; partition < 2; partition++) {
        const tip = (await log.tips(stage.source))[partition]?.seq ?? 0
        if (tip > 0) await stage.reached(first, tip, partition)
      }
      await first.running.stop()
      const options = { log, clock, finish: 'switch', page: 2, partitions: 1 } as const
      let kills = 0
      for (let write = 1, ended = false; !ended; write++)
        for (const takesPlace of [false, true]) {
          const faults = new WriteFaults(store)
          faults.killAt(write, takesPlace)
          const next = factor + 1
          const killed = replay(program(stage, next), { ...options, store: faults.store })
          ended = await killed.then(
            () => true,
            () => false,
          )
          if (!ended) kills += 1
          await expectWhole(stage, [factor, next])
          stage.subject.advance(20_000)
          if (!ended) await replay(program(stage, next), { ...options, store })
          await expectWhole(stage, [next])
          expect(await stage.differences('folds')).toEqual([])
          factor = next
        }
      expect(kills).toBeGreaterThan(20)
    }, 2))

  async function expectWhole(stage: Scene, factors: readonly number[]): Promise<void> {
    for (let partition = 0; partition < 2; partition++) {
      const states = await statesOf(subject().store, stage.at('folds', partition), keys)
      const expected = factors.map((factor) =>
        keys.map((key) => {
          const numbers = history.flatMap((one, at) => (one === key ? [(at + 1) * factor] : []))
          return key !== 'd' && inPartition(stage, key, partition) ? numbers : undefined
        }),
      )
      expect(expected).toContainEqual(states)
    }
  }
}

function inPartition(stage: Scene, key: string, partition: number): boolean {
  return partitionOfKey(stage.source, key) === partition
}
