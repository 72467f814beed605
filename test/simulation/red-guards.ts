import { describe, expect, test } from 'vitest'
import { scriptSource } from '../../packages/redis/src/script-source.ts'
import { guardsOf, withoutGuard } from '../support/guards.ts'
import type { Violation } from './story.ts'

/** How many seeds are tried for one guard at most, when the remembered one is red no more. */
const mostSeeds = 300

/** What is known of the guards of one script. */
export interface KnownGuards {
  /** Of the `.lua` file. */
  readonly file: string
  /** A seed that is red without the guard; the first seed where none is named. */
  readonly red: Readonly<Record<string, number>>
  /** Guards that no simulation meets, and why. */
  readonly elsewhere: Readonly<Record<string, string>>
}

/**
 * Proves that a simulation sees every guard of a script: without it some seed is red.
 *
 * @param play Plays a seed with this text of the script.
 */
export function describeRedGuards(
  script: string,
  { file, red, elsewhere }: KnownGuards,
  play: (seed: number, source: string) => Promise<Violation | undefined>,
): void {
  describe(`without a guard of ${script} some seed is red`, () => {
    const source = scriptSource(file)

    test.each(guardsOf(source).filter((guard) => !(guard in elsewhere)))(
      '%s',
      { timeout: 300_000 },
      async (guard) => {
        const changed = withoutGuard(source, guard)
        const remembered = red[guard] ?? 1
        const seeds = [remembered, ...Array.from({ length: mostSeeds }, (_, at) => at + 1)]
        for (const seed of seeds) {
          if ((await play(seed, changed)) === undefined) continue
          if (seed !== remembered) console.log(`${script}: '${guard}': ${seed}, // was ${remembered}`)
          return
        }
        expect.fail(`No seed up to ${mostSeeds} notices that "${guard}" is gone`)
      },
    )

    test('what is proved elsewhere is a guard of it', () => {
      expect(guardsOf(source)).toEqual(expect.arrayContaining(Object.keys(elsewhere)))
    })
  })
}
