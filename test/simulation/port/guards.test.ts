import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GroupScripts } from '../../../packages/redis/src/group-scripts.ts'
import { scriptSource } from '../../../packages/redis/src/script-source.ts'
import { guardsOf, withoutGuard } from '../../support/guards.ts'
import { provedElsewhere, redSeeds } from './red-seeds.ts'
import { openRedis } from '../redis-server.ts'
import { simulate } from './simulate.ts'

/** How many seeds are tried for one guard at most, when the remembered one is red no more. */
const mostSeeds = 300

let redis: Awaited<ReturnType<typeof openRedis>>

beforeAll(async () => {
  redis = await openRedis()
})

afterAll(() => redis.close())

/** The scripts that members and operators of the simulation call. */
const scripts = [
  ['lease', 'lease.lua'],
  ['commit', 'commit.lua'],
  ['confirm', 'confirm.lua'],
  ['forwarded', 'forwarded.lua'],
  ['rule', 'rule.lua'],
  ['effectsRule', 'effects-rule.lua'],
  ['withheld', 'withheld.lua'],
  ['migrate', 'migrate.lua'],
  ['markDue', 'mark-due.lua'],
] as const satisfies [keyof GroupScripts, string][]

describe.each(scripts)('without a guard of %s some seed is red', (script, file) => {
  const source = scriptSource(file)
  const elsewhere = provedElsewhere[script] ?? {}

  test.each(guardsOf(source).filter((guard) => !(guard in elsewhere)))(
    '%s',
    { timeout: 300_000 },
    async (guard) => {
      const changed = withoutGuard(source, guard)
      // A script that does not compile would be red without proving anything.
      await redis.redis.script('LOAD', changed)
      const remembered = redSeeds[script]?.[guard] ?? 1
      const seeds = [remembered, ...Array.from({ length: mostSeeds }, (_, at) => at + 1)]
      for (const seed of seeds) {
        const { violation } = await simulate(seed, await redis.simulation.fresh({ [script]: changed }))
        if (!violation) continue
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
