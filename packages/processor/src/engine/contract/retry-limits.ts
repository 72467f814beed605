import { expect, test } from 'vitest'
import { processor } from '../../model/processor.ts'
import { state } from '../../model/state.ts'
import { type EngineUnderTest, sceneOf } from './scene.ts'

/** How many retries of a partition run at once, and begin in a second. */
export function describeRetryLimits(subject: () => EngineUnderTest): void {
  const scene = sceneOf(subject)

  test('so many retries run at once, and so many begin in a second', () =>
    scene(async (stage) => {
      const begun = new Map<string, number>()
      let [atOnce, mostAtOnce] = [0, 0]
      const slow = processor('slow', stage.source, {
        state: state<readonly number[]>({ initial: () => [] }),
        handle: async ({ data }, context) => {
          const again = begun.has(context.key)
          begun.set(context.key, performance.now())
          if (!again) throw new Error('away')
          mostAtOnce = Math.max(mostAtOnce, (atOnce += 1))
          stage.changed()
          // The first one waits for the second, however late that is.
          await stage.until(() => mostAtOnce > 1)
          await new Promise((resolve) => setTimeout(resolve, 30))
          atOnce -= 1
          context.evolve([...context.state, data.n])
        },
      })
      const bounds = { quickRetries: 0, retriesAtOnce: 2, retriesPerSecond: 3 }
      const player = await stage.start(slow, bounds)
      await stage.append('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
      await stage.reached(player, 8)
      await stage.unparked('slow')
      expect(mostAtOnce).toBe(2)
      const times = [...begun.values()].toSorted((x, y) => x - y)
      // What a second had left over may be made up for: the last one is due 1.6 s behind the first, and would have begun
      // after 0.1 s. A machine that stands still before the first one begins brings them closer to each other.
      expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(500)
    }))
}
